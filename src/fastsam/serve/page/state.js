// What the page knows, in one object that the other modules read and change. One photo at a time.

export const NOTHING = Object.freeze({ points: [], labels: [], box: null, text: '' });

// own: the engine and its weights' settings
// photo: { file, id, name, width, height, segments, found, place, labels, indices, colours, naming }
// view: { conf, iou, area, exact }
// prompt: that of the answer; `before`: of a further click, the drawn answer that it corrects:
//   { prompt, view, found, rank, segmentation }
// answer: { of: its prompt, candidates: from part to whole, at, all, early: whether the true one is on its way }
// past, future: what undo and redo go back to: prompts and sliders, never pixels
// hover: index + 1 of the mask under the pointer; cursor: the keyboard's; press: what the finger began
// sign: whether a click is positive
// opened, asked: how many photos, and how many answers, were asked for: only the last one counts
// before: the sliders as they were before one was taken hold of
// waiting: for the answer to the last prompt
export const now = {
  own: null, photo: null, view: {}, prompt: NOTHING, answer: null, past: [], future: [], hover: 0, cursor: null, press: null,
  sign: 1, opened: 0, asked: 0, before: null, waiting: Promise.resolve(),
};

export const isEmpty = (p) => !p.points.length && !p.box && !p.text && p.mask === undefined;
