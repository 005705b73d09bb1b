// Vite plugins for builds only, which make bundles smaller and change nothing in what they compute:
// shader text without comments and spare white space, operator files without their test cases.

import { readFileSync } from 'node:fs';
import { type ESTree, type Plugin, parseSync } from 'vite';

/** Applied to every `*.wgsl?raw`. */
export function compactShaders(): Plugin {
  return {
    name: 'lepton:compact-shaders',
    apply: 'build',
    enforce: 'pre',
    load(id) {
      if (!id.endsWith('.wgsl?raw')) return null;
      const file = id.slice(0, -'?raw'.length);
      this.addWatchFile(file);
      return `export default ${JSON.stringify(compactWgsl(readFileSync(file, 'utf8')))};`;
    },
  };
}

/** WGSL has no string literals, so tokens are all that white space separates. Ends in a line break. */
export function compactWgsl(source: string): string {
  const text = stripComments(source).replace(/\s+/g, ' ').trim();
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === ' ' && !needsSpace(text[i - 1] as string, text[i + 1] as string)) continue;
    out += c;
  }
  return `${out}\n`;
}

const word = /[\p{XID_Continue}.]/u;
const operator = /[-+*/%&|^!<>=~]/;

/** Two words would become one, and two operators such as `- -` another. */
function needsSpace(before: string, after: string): boolean {
  return (word.test(before) && word.test(after)) || (operator.test(before) && operator.test(after));
}

/** Line comments, and block comments, which nest in WGSL. */
function stripComments(source: string): string {
  let out = '';
  let depth = 0;
  for (let i = 0; i < source.length; i++) {
    const pair = source.slice(i, i + 2);
    if (pair === '/*') {
      depth++;
      i++;
    } else if (pair === '*/' && depth > 0) {
      depth--;
      i++;
      if (depth === 0) out += ' ';
    } else if (depth === 0 && pair === '//') {
      while (i < source.length && source[i] !== '\n') i++;
      out += '\n';
    } else if (depth === 0) {
      out += source[i];
    }
  }
  return out;
}

/** Removes `export const cases = …` from `*.op.ts`, and with it what only they used. */
export function withoutCases(): Plugin {
  return {
    name: 'lepton:without-cases',
    apply: 'build',
    enforce: 'pre',
    transform(code, id) {
      if (!id.endsWith('.op.ts')) return null;
      return { code: blankCases(code), map: null };
    },
  };
}

/**
 * The same text with those declarations replaced by blanks, so that every position stays true. What only the
 * cases used goes too: a bundler would keep it where its initialiser calls functions, since those might do more.
 */
export function blankCases(code: string): string {
  const statements = parseSync('file.ts', code).program.body.map((node) => ({
    node,
    exported: node.type.startsWith('Export'),
    declares: declaredNames(node),
    uses: usedNames(node),
  }));
  const dropped = statements.filter(({ exported, declares }) => exported && declares.includes('cases'));
  for (const { uses } of dropped) {
    const kept = statements.filter((statement) => !dropped.includes(statement));
    // `dropped` grows while it is walked, until nothing else has lost its last user.
    for (const candidate of kept) {
      const others = kept.filter((statement) => statement !== candidate && !dropped.includes(statement));
      const orphaned = candidate.declares.every((name) => uses.has(name) && !others.some((o) => o.uses.has(name)));
      if (!candidate.exported && candidate.declares.length === 1 && orphaned) dropped.push(candidate);
    }
  }
  return dropped.reduce((text, { node }) => blank(text, node), code);
}

type Statement = ESTree.Program['body'][number];

/** The plain names that a top-level declaration declares. */
function declaredNames(statement: Statement): string[] {
  const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
  if (declaration?.type === 'FunctionDeclaration') return declaration.id ? [declaration.id.name] : [];
  if (declaration?.type !== 'VariableDeclaration') return [];
  return declaration.declarations.map(({ id }) => (id.type === 'Identifier' ? id.name : ''));
}

/** Every name in a statement but those of properties; a local variable of the same name counts as a use. */
function usedNames(statement: Statement): Set<string> {
  const names = new Set<string>();
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(walk);
    else if (node && typeof node === 'object') {
      const { type, name, computed, shorthand, ...children } = node as Record<string, unknown>;
      if (type === 'Identifier') names.add(String(name));
      if (type === 'MemberExpression' && !computed) delete children.property;
      if (type === 'Property' && !computed && !shorthand) delete children.key;
      Object.values(children).forEach(walk);
    }
  };
  walk(statement);
  return names;
}

function blank(text: string, { start, end }: { start: number; end: number }): string {
  return text.slice(0, start) + text.slice(start, end).replace(/[^\n]/g, ' ') + text.slice(end);
}
