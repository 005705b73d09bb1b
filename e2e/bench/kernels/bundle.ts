// Where the bundle of the kernel benchmark starts: Dawn lies beside it.

import { createRequire } from 'node:module';
import { runKernelBench } from './run';

const dawn = createRequire(import.meta.url)('./dawn.node') as { create(flags: string[]): GPU; globals: object };
Object.assign(globalThis, dawn.globals);
process.exit(await runKernelBench(dawn.create(['backend=vulkan']), process.argv.slice(2)));
