// A Vite plugin for development only: serves the folder `../shared/data` (or LEPTON_DATA) read-only under
// /shared/, with lists of its models and images, so that the demo can offer them. Without the folder the
// lists are empty. Builds never see any of it.

import { existsSync, readdirSync, statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { basename, extname, join, relative, resolve, sep } from 'node:path';
import type { Plugin } from 'vite';
import { sendFile } from './send-file';

export interface SharedFile {
  name: string;
  /** Absolute path on the server, such as /shared/models/yunet/yunet.onnx. */
  path: string;
  bytes: number;
}

export function sharedDataFolder(root: string): string {
  return process.env.LEPTON_DATA ?? resolve(root, '../shared/data');
}

export function sharedData(): Plugin {
  return {
    name: 'lepton:shared-data',
    apply: 'serve',
    configureServer(server) {
      const folder = sharedDataFolder(server.config.root);
      server.middlewares.use('/shared', (request, response, next) => {
        const path = decodePath(request.url ?? '/');
        if (path === '/models.json') return sendJson(response, listFiles(folder, 'models', ['.onnx']));
        if (path === '/images.json') return sendJson(response, listImages(folder));
        const file = path === undefined ? folder : resolve(folder, `.${path}`);
        const stats = file.startsWith(folder + sep) ? statSync(file, { throwIfNoEntry: false }) : undefined;
        if (!stats?.isFile()) return next();
        sendFile(request, response, file, stats);
      });
    },
  };
}

function decodePath(url: string): string | undefined {
  try {
    return decodeURIComponent(url.replace(/[?#].*$/, ''));
  } catch {
    return undefined;
  }
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(value));
}

/** The pictures that lie beside the models, which show what those detect, then the photographs. */
function listImages(folder: string): SharedFile[] {
  const extensions = ['.jpg', '.jpeg', '.png'];
  return [...listFiles(folder, 'models', extensions), ...listFiles(folder, 'images', extensions)];
}

function listFiles(folder: string, under: string, extensions: readonly string[]): SharedFile[] {
  const top = join(folder, under);
  if (!existsSync(top)) return [];
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extensions.includes(extname(entry.name).toLowerCase()))
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const path = relative(folder, file).split(sep).map(encodeURIComponent).join('/');
      return { name: basename(file, extname(file)), path: `/shared/${path}`, bytes: statSync(file).size };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}
