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
  } catch {
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

export const imported = async (annotations) => (
  await (await ask('/v1/labels/import', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: annotations })).json()).photos;

export const example = async (name) => (await ask(`/page/${name}`)).blob();

export const forget = (id) => fetch(`/v1/images/${id}`, { method: 'DELETE', keepalive: true }).catch(() => {});

// Everything in a photo. sending: called with the share 0..1 that has arrived, then once with null while the network runs.
export function segment(photo, options, sending) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [key, value] of Object.entries(options)) form.append(key, String(value));
    form.append('image', photo, photo.name || 'photo');
    const request = new XMLHttpRequest();
    request.open('POST', '/v1/segment');
    request.responseType = 'json';
    request.upload.onprogress = (event) => sending(event.lengthComputable ? event.loaded / event.total : 0);
    request.upload.onload = () => sending(null);
    request.onerror = () => reject(new Error('the server does not answer: is it still running?'));
    request.onload = () => {
      if (request.status === 200) resolve(request.response);
      else reject(Object.assign(new Error(request.response?.detail ?? `the server answered ${request.status}`), { status: request.status }));
    };
    request.send(form);
  });
}
