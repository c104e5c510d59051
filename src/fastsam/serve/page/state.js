// What the page knows, in one object that the other modules read and change.

export const NOTHING = Object.freeze({ points: [], labels: [], box: null, text: '' });

// own: the engine and its weights' settings
// items: all photos, see photos.js; item: the one that is open
// photo: { file, id, name, width, height, segments, found, place, labels, indices: of the masks that may answer,
//   shown: those of them that are of the level, colours, naming }
// view: { conf, iou, area, exact, level: things, parts or regions }
// prompt: that of the answer; `before`: of a further click, the mask that it corrects:
//   { prompt, view, found, rank, segmentation }; `object`: id of the kept object that it corrects
// answer: { of: its prompt, candidates: from part to whole, at, all, early: whether the true one is on its way }
// objects: what is kept of this photo, the last one on top: { id, name, counts, runs, area, hidden, locked }
// chosen: ids of those that the next action is about; kinds: names of classes; kind: the current one
// tool: point, brush, eraser, split or corners; stroke: what a tool shows while it is in use
// renames: [from, to] of the classes that were renamed since the photo was opened
// past, future: what undo and redo go back to, see history.js: never pixels
// hover: index + 1 of the mask under the pointer; cursor: the keyboard's; press: what the finger began
// sign: whether a click is positive
// opened, asked: how many photos, and how many answers, were asked for: only the last one counts
// before: the sliders as they were before one was taken hold of
// waiting: for the answer to the last prompt
export const now = {
  own: null, items: [], item: null, photo: null, view: { level: 'things' }, prompt: NOTHING, answer: null, objects: [], chosen: [], kinds: [],
  kind: 0, tool: 'point', stroke: null, renames: [], past: [], future: [], hover: 0, cursor: null, press: null, sign: 1, opened: 0, asked: 0,
  before: null, waiting: Promise.resolve(),
};

export const isEmpty = (p) => !p.points.length && !p.box && !p.text && p.mask === undefined;
