/** How the small loaders get the canvas: from the server that the page came from, else from Python, once a page either way. */

declare const CANVAS_HASH: string; // put in by build.mjs

interface Pages {
  [hash: string]: Promise<unknown> | undefined;
}

interface Carrier {
  folder: unknown; // options.static, see protocol.ts
  send(message: unknown): void;
  listen(listener: (message: unknown) => void): () => void;
}

export function load<Canvas>(carrier: Carrier): Promise<Canvas> {
  const pages = ((globalThis as { nbflowCanvas?: Pages }).nbflowCanvas ??= {});
  const loading = (pages[CANVAS_HASH] ??= served(carrier.folder).catch(() => fromPython(carrier)));
  loading.catch(() => delete pages[CANVAS_HASH]); // the next model may have more luck
  return loading as Promise<Canvas>;
}

async function served(folder: unknown): Promise<unknown> {
  const config = document.getElementById('jupyter-config-data')?.textContent;
  const base = config ? (JSON.parse(config) as { baseUrl?: string }).baseUrl : undefined;
  const at = typeof folder === 'string' ? folder : base && `${base}nbflow/static/canvas/`;
  if (!at) throw Error('not served');
  return import(new URL(`${at}canvas.js?v=${CANVAS_HASH}`, document.baseURI).href);
}

function fromPython({ send, listen }: Carrier): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const id = `bundle-${Math.random()}`;
    const leave = listen((message) => {
      const { kind, id: of, answer, error } = (message ?? {}) as { kind?: string; id?: string; answer?: { text: string }; error?: string };
      if (kind !== 'answer' || of !== id) return;
      leave();
      if (!answer) return reject(Error(error));
      const url = URL.createObjectURL(new Blob([answer.text], { type: 'text/javascript' }));
      import(url).then(resolve, reject).finally(() => URL.revokeObjectURL(url));
    });
    send({ kind: 'ask', id, question: 'bundle', ask: {} });
  });
}
