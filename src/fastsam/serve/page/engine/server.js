// The engine that asks the service behind the page; engine.js says what an engine is.

export const server = true;

async function failure(response) {
  let detail = response.statusText || `the server answered ${response.status}`;
  try { detail = (await response.json()).detail ?? detail; } catch { /* no JSON: the status must do */ }
  return Object.assign(new Error(detail), { status: response.status });
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Error('the server does not answer: is it still running?');
  }
  if (!response.ok) throw await failure(response);
  return response;
}

const json = (body) => ({ method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

export const about = async () => {
  for (;;) {  // until the network is loaded
    try { return await (await ask('/v1/about')).json(); } catch (error) { if (error.status !== 503) throw error; }
    await new Promise((wait) => setTimeout(wait, 300));
  }
};

export const select = async (id, body) => (await (await ask(`/v1/images/${id}/select`, json(body))).json()).picks;

export const name = async (id, body) => (await (await ask(`/v1/images/${id}/name`, json(body))).json()).names;

// A file that the service makes, and what it is called.
async function made(path, options) {
  const response = await ask(path, options);
  const called = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '');
  return { blob: await response.blob(), name: called ? called[1] : 'fastsam' };
}

export const file = (id, body) => made(`/v1/images/${id}/select`, json(body));

export const exported = (body) => made('/v1/labels/export', json(body));

export async function imported(files, sizes = {}) {
  const form = new FormData();
  for (const one of files) form.append('file', one, one.name);
  form.append('sizes', JSON.stringify(sizes));
  return (await ask('/v1/labels/import', { method: 'POST', body: form })).json();
}

export const example = async (name) => (await ask(`/page/${name}`)).blob();

export const forget = (id) => fetch(`/v1/images/${id}`, { method: 'DELETE', keepalive: true }).catch(() => {});

// What an upload is answered. sending: called with the share 0..1 that has arrived, then once with null until the answer.
function upload(path, body, type, sending) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    if (type) request.setRequestHeader('Content-Type', type);
    request.responseType = 'json';
    request.upload.onprogress = (event) => sending(event.lengthComputable ? event.loaded / event.total : 0);
    request.upload.onload = () => sending(null);
    request.onerror = () => reject(new Error('the server does not answer: is it still running?'));
    request.onload = () => {
      if (request.status === 200) resolve(request.response);
      else reject(Object.assign(new Error(request.response?.detail ?? `the server answered ${request.status}`), { status: request.status }));
    };
    request.send(body);
  });
}

export function segment(photo, options, sending) {
  const form = new FormData();
  for (const [key, value] of Object.entries(options)) form.append(key, String(value));
  form.append('image', photo, photo.name || 'photo');
  return upload('/v1/segment', form, null, sending);
}

// The lines of an answer, each as soon as it is there.
async function lines(response, each) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = '';;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split('\n');
    rest = parts.pop();
    for (const part of parts) each(JSON.parse(part));
  }
}

export const film = {
  open: (file, sending) => upload(`/v1/videos?name=${encodeURIComponent(file.name)}`, file, file.type.startsWith('video/') ? file.type : 'video/mp4', sending),
  frame: async (id, number) => (await ask(`/v1/videos/${id}/frames/${number}`)).blob(),
  follow: async (id, body, signal, each) => lines(await ask(`/v1/videos/${id}/follow`, { ...json(body), signal }), (line) => {
    if (line.detail) throw new Error(line.detail);
    each(line);
  }),
  saved: (id, format) => made(`/v1/videos/${id}/followed?format=${format}`),
  forget: (id) => fetch(`/v1/videos/${id}`, { method: 'DELETE', keepalive: true }).catch(() => {}),
};
