// Starts the dev server the page tests share: Vite over the whole project, so that a page of `e2e/` can
// import a module of `src/`. Its address reaches the tests as inject('server'), without a closing slash.

import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { startDevServer } from './dev-server';

declare module 'vitest' {
  interface ProvidedContext {
    server: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startDevServer(fileURLToPath(new URL('../..', import.meta.url)));
  project.provide('server', server.url);
  return server.close;
}
