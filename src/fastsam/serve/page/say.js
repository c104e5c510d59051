// What the page says: progress and errors.

export const $ = (id) => document.getElementById(id);

export function working(share, text) {
  $('working').hidden = text === undefined;
  if (text === undefined) return;
  $('doing').textContent = text;
  if (share === null) $('progress').removeAttribute('value'); else $('progress').value = share;
}

export function fail(text) {
  $('error').hidden = !text;
  $('error').querySelector('span').textContent = text;
}
$('error').querySelector('button').addEventListener('click', () => fail(''));
