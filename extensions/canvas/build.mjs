/**
 * Builds what Python ships: `node build.mjs [--out folder]`. canvas.js is the whole canvas; widget.js and panel.js are small loaders that know
 * its hash. With `--package`, also dist/: the same canvas for applications that bundle it with their own React (the JupyterLab extension).
 * With `--dev`, also dev/dev.js.
 */

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HERE = dirname(fileURLToPath(import.meta.url));
const flags = process.argv.slice(2);
const out = resolve(HERE, flags.includes('--out') ? flags[flags.indexOf('--out') + 1] : '../../nbflow/static/canvas');

/** Our styles are small enough to be squeezed by hand: comments and blank space go. */
const styles = {
  name: 'styles',
  setup(made) {
    made.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return { loader: 'text', contents: text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\s+/g, ' ').replace(/ ?([{};,]) ?/g, '$1').trim() };
    });
  },
};

const shared = {
  absWorkingDir: HERE,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  plugins: [styles],
  legalComments: 'none',
  logLevel: 'warning',
};

async function text(entry, more = {}) {
  const { outputFiles } = await build({ ...shared, ...more, entryPoints: [entry], write: false });
  return outputFiles[0].text;
}

/** Whole or not at all: a page may read it while it is written. */
async function put(folder, name, content) {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `.${name}.new`), content);
  await rename(join(folder, `.${name}.new`), join(folder, name));
  console.log(`${String(Math.ceil(content.length / 1024)).padStart(5)} KB  ${join(folder, name)}`);
}

const canvas = await text('src/canvas.ts');
const hash = createHash('sha256').update(canvas).digest('hex').slice(0, 12);
const stub = { define: { ...shared.define, CANVAS_HASH: JSON.stringify(hash) } };
await put(out, 'canvas.js', canvas);
await put(out, 'widget.js', await text('src/widgetStub.ts', stub));
await put(out, 'panel.js', await text('src/panelStub.ts', stub));

/** A CommonJS part (use-sync-external-store) calls `require('react')`, which a browser has not: it gets the imported one. */
const requiredReact = {
  name: 'required-react',
  setup(made) {
    made.onResolve({ filter: /^react$/ }, ({ kind }) => (kind === 'require-call' ? { path: 'react', namespace: 'imported' } : undefined));
    made.onLoad({ filter: /.*/, namespace: 'imported' }, () => ({ contents: "export * from 'react'", resolveDir: HERE }));
  },
};

if (flags.includes('--package')) {
  const external = ['react', 'react-dom', 'react/jsx-runtime', 'react-dom/client'];
  await put(join(HERE, 'dist'), 'index.js', await text('src/index.ts', { external, plugins: [styles, requiredReact] }));
}
if (flags.includes('--dev')) await put(join(HERE, 'dev'), 'dev.js', await text('dev/dev.tsx'));
