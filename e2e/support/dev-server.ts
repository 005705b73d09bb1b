// The project's Vite dev server on a free port, without file watching: tests and `npm start -- --check`
// want pages that never reload by themselves.

import { createServer } from 'vite';

export interface DevServer {
  /** Such as http://localhost:40123, without a closing slash. */
  readonly url: string;
  close(): Promise<void>;
}

export async function startDevServer(root: string): Promise<DevServer> {
  const server = await createServer({
    root,
    configLoader: 'runner',
    logLevel: 'warn',
    server: { host: 'localhost', port: 0, hmr: false, watch: null },
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (!address || typeof address === 'string') throw new Error('The dev server has no port.');
  return { url: `http://localhost:${address.port}`, close: () => server.close() };
}
