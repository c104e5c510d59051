// How photos come in: chosen, dropped, pasted, or an example.

import * as engine from './engine.js';
import { showAnswer } from './drawing.js';
import { open } from './photo.js';
import { $, fail } from './say.js';
import { now } from './state.js';

const browse = () => $('file').click();
$('choose').addEventListener('click', browse);
$('browse').addEventListener('click', browse);
$('file').addEventListener('change', () => { open($('file').files[0]); $('file').value = ''; });

for (const button of document.querySelectorAll('[data-example]')) {
  button.addEventListener('click', async () => {
    const name = button.dataset.example;
    try {
      open(new File([await engine.example(name)], name, { type: 'image/jpeg' }));
    } catch (error) {
      fail(error.message);
    }
  });
}

let dragged = 0;
addEventListener('dragenter', (event) => { event.preventDefault(); dragged += 1; $('dropping').hidden = false; });
addEventListener('dragleave', () => { dragged -= 1; if (dragged <= 0) $('dropping').hidden = true; });
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
  event.preventDefault();
  dragged = 0;
  $('dropping').hidden = true;
  const [file] = event.dataTransfer.files;
  if (file) open(file); else fail('What was dropped is no file.');
});
addEventListener('paste', (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith('image/'));
  if (file) open(file);
});
addEventListener('resize', () => now.photo && showAnswer());
addEventListener('pagehide', () => now.photo && engine.forget(now.photo.id));
