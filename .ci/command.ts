// Runs the command line tools of node_modules, and others, as child processes in the project's root.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

export const tools = {
  biome: 'node_modules/@biomejs/biome/bin/biome',
  playwright: 'node_modules/playwright/cli.js',
  tsc: 'node_modules/typescript/bin/tsc',
  vitest: 'node_modules/vitest/vitest.mjs',
} as const;

/** Runs a tool of node_modules with its output on this terminal; answers its exit status. */
export function runTool(
  tool: keyof typeof tools,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<number> {
  return run(process.execPath, [tools[tool], ...args], env);
}

export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      done(127);
    });
    child.on('close', (status) => done(status ?? 1));
  });
}

/** Runs a tool and keeps its output, for tools that run side by side. */
export function captureTool(
  tool: keyof typeof tools,
  args: readonly string[],
): Promise<{ status: number; output: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [tools[tool], ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const pieces: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.stderr.on('data', (piece: Buffer) => pieces.push(piece));
    child.on('close', (status) => done({ status: status ?? 1, output: Buffer.concat(pieces).toString().trim() }));
  });
}
