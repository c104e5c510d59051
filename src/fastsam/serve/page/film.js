// A video: its frames are photos like others; what is picked in one of them is followed through all.

import { colour, drawLabels } from './draw.js';
import * as engine from './engine.js';
import { grid, paint, runs } from './masks.js';
import { counted } from './objects.js';
import { add, go } from './photos.js';
import { saved } from './save.js';
import { $, fail, working } from './say.js';
import { now } from './state.js';

const MOST = 1280;  // canvas pixels of the longer side while it plays
const AHEAD = 6;  // frames that are fetched before they are shown

// film: null, or { id, name: no other video's in the strip, width, height, frames, rate, place, at: frame that is shown, followed: Map of frame number ->
//   [lengths of runs, or null where it is lost], shots: Map of number -> promise of a picture, playing, stop: ends following }
let film = null;

export const isVideo = (file) => file.type.startsWith('video/') || /\.(mp4|m4v|mov|webm|mkv|avi|ogv|mpe?g|wmv)$/i.test(file.name);

export async function openFilm(file) {
  if (!engine.film) { fail(`${file.name} is a video: videos need the page of fastsam serve.`); return; }
  fail('');
  working(0, 'Sending…');
  try {
    const facts = await engine.film.open(file, (share) => working(share, share === null ? 'Reading the video…' : 'Sending…'));
    close();
    film = { ...facts, name: unused(facts.name), place: grid(facts.width, facts.height, MOST), at: 0, followed: new Map(), shots: new Map(), playing: false, stop: null };
  } catch (error) {
    fail(`${file.name}: ${error.message}`);
    return;
  } finally {
    working();
  }
  for (const id of ['film', 'filmed']) Object.assign($(id), { width: film.place.w, height: film.place.h });
  $('film-at').max = film.frames - 1;
  await openFrame(0);
}

// The name of a video, with a number if the strip has frames of another one with that name.
function unused(name) {
  let made = name;
  for (let k = 2; now.items.some((one) => one.name.startsWith(`${made} frame `)); k++) made = `${name} (${k})`;
  return made;
}

function close() {
  if (!film) return;
  film.playing = false;
  film.stop?.abort();
  engine.film.forget(film.id);
  film = null;
}
addEventListener('pagehide', close);

// Opens a frame as a photo, on which one clicks. It stays in the strip.
async function openFrame(number) {
  const name = `${film.name} frame ${number}.jpg`, known = now.items.findIndex((one) => one.name === name);
  film.at = number;
  try {
    if (known >= 0) await go(known);
    else await add([new File([await engine.film.frame(film.id, number)], name, { type: 'image/jpeg' })]);
  } catch (error) {
    fail(error.message);
  }
}

// The number of the frame that is open as a photo, null if another photo is.
function frameOf(item) {
  const found = film && item?.name.startsWith(`${film.name} frame `) ? /frame (\d+)\.jpg$/.exec(item.name) : null;
  return found && +found[1];
}

document.addEventListener('opened', () => {
  const number = frameOf(now.item);
  $('film-bar').hidden = number === null;
  if (number === null) { showFilm(false); return; }
  film.at = number;
  showFilm(false);
  tell();
});

function tell() {
  $('film-at').value = film.at;
  $('film-where').textContent = `${film.at + 1} of ${film.frames}`;
  $('film-at').setAttribute('aria-valuetext', $('film-where').textContent);
  $('play').textContent = film.playing ? 'Pause' : 'Play';
  $('follow').textContent = film.stop ? 'Stop' : 'Follow';
  $('film-save').disabled = Boolean(film.stop) || !film.followed.size;
}

// What is shown is a frame of the video alone, or the frame that is open as a photo, with what is picked in it.
function showFilm(on) {
  for (const id of ['film', 'filmed']) $(id).hidden = !on;
  $('stage').classList.toggle('film', on);
}

// A click on the video that plays stops it: one clicks on photos.
for (const kind of ['pointerdown', 'pointermove', 'click', 'dblclick']) {
  $('stage').addEventListener(kind, (event) => {
    if ($('film').hidden) return;
    event.stopPropagation();
    if (kind === 'pointerdown' && film.playing) film.playing = false;
  }, true);
}

// A frame's picture. A few frames ahead are fetched meanwhile.
function shot(number) {
  for (let n = number; n < Math.min(film.frames, number + AHEAD); n++) {
    if (film.shots.has(n)) continue;
    const picture = engine.film.frame(film.id, n).then(createImageBitmap);
    picture.catch(() => {});
    film.shots.set(n, picture);
  }
  for (const n of film.shots.keys()) if (n < number - AHEAD || n > number + 2 * AHEAD) film.shots.delete(n);
  return film.shots.get(number);
}

async function showFrame(number) {
  const mine = film, picture = await shot(number);
  if (film !== mine) return;
  film.at = number;
  $('film').getContext('2d').drawImage(picture, 0, 0, film.place.w, film.place.h);
  const found = film.followed.get(number) ?? [], labels = new Int32Array(film.place.w * film.place.h);
  found.forEach((lengths, k) => lengths && paint(labels, k + 1, lengths, film.place));
  drawLabels($('filmed'), labels, found.map((_, k) => colour({ index: k, area: 0 }, 'many', 1).rgb), 0.5, true);
  showFilm(true);
  tell();
}

async function play() {
  const mine = film;
  if (film.playing) { film.playing = false; return; }
  film.playing = true;
  const first = film.at + 1 < film.frames ? film.at : 0, began = performance.now();
  try {
    for (let n = first; mine === film && film.playing && n < film.frames;) {
      await showFrame(n);
      const wait = began + (n + 1 - first) * 1000 / film.rate - performance.now();
      if (wait > 0) await new Promise((done) => setTimeout(done, wait));
      n = Math.max(n + 1, first + Math.floor((performance.now() - began) * film.rate / 1000));  // frames are left out, not time
    }
  } catch (error) {
    fail(error.message);
  }
  if (mine !== film) return;
  film.playing = false;
  await openFrame(film.at);
}

// What is followed: the objects that are kept of this frame, or else what answers.
function meant() {
  const size = [now.photo.height, now.photo.width];
  const candidate = now.answer && !now.answer.early ? now.answer.candidates[now.answer.at] : null;
  const shown = now.objects.filter((o) => !o.hidden).map((o) => o.counts);
  const masks = candidate && !shown.length ? (now.answer.all ?? [candidate]).map(counted) : shown;
  return masks.map((counts) => ({ mask: { size, counts } }));
}

async function follow() {
  if (film.stop) { film.stop.abort(); return; }
  await now.waiting;
  const prompts = meant(), frame = film.at, mine = film;
  if (!prompts.length) { fail('There is nothing to follow: click an object first.'); return; }
  fail('');
  const backwards = !film.followed.size;  // later ones correct what follows, and leave what is before
  film.stop = new AbortController();
  for (const n of [...film.followed.keys()]) if (n >= frame) film.followed.delete(n);
  tell();
  const all = backwards ? film.frames : film.frames - frame;
  let done = 0;
  try {
    await engine.film.follow(film.id, { frame, prompts, backwards }, film.stop.signal, (line) => {
      if (mine !== film) return;
      film.followed.set(line.frame, line.objects.map((row) => row && runs(row.segmentation.counts)));
      done += 1;
      working(done / all, `Following… ${done} of ${all} frames`);
    });
    const lost = [...film.followed.values()].filter((found) => found.some((one) => !one)).length;
    $('status').textContent = `Followed through ${film.followed.size} frames${lost ? `, lost in ${lost}` : ''}. Play shows it.`;
  } catch (error) {
    if (error.name !== 'AbortError') fail(error.message);
  }
  mine.stop = null;
  working();
  if (mine === film) tell();
}

async function save() {
  working(null, 'Writing…');
  try {
    const { blob, name } = await engine.film.saved(film.id, $('film-format').value);
    saved(blob, name);
  } catch (error) {
    fail(error.message);
  } finally {
    working();
  }
}

$('play').addEventListener('click', play);
$('follow').addEventListener('click', follow);
$('film-save').addEventListener('click', save);
$('film-at').addEventListener('input', () => { film.playing = false; showFrame(+$('film-at').value).catch((error) => fail(error.message)); });
$('film-at').addEventListener('change', () => { film.playing = false; openFrame(+$('film-at').value); });
