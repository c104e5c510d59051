// One photo through the first network: letterbox, network, detections, masks, as `model.py`.

import type { Found } from './answer.ts';
import { taken } from './answer.ts';
import { detections } from './detections.ts';
import { usage } from './errors.ts';
import { fit, tensor, toPhoto } from './letterbox.ts';
import type { Network } from './network.ts';
import { coefficientsOf, place } from './positional.ts';
import { runsOfMask, widen } from './prototyped.ts';
import type { Settings } from './settings.ts';
import type { Pixels } from './values.ts';

// Settings of one call; those left out are the weights' own.
export interface Overrides {
  readonly imgsz?: number;
  readonly conf?: number;
  readonly iou?: number;
  readonly maxDet?: number;
}

// Seconds per stage.
export interface Seconds {
  readonly letterbox: number;
  readonly network: number;
  readonly masks: number;
}

export function checkedOverrides(settings: Settings, { imgsz, conf, iou, maxDet }: Overrides): Settings {
  const found = { ...settings, imgsz: imgsz ?? settings.imgsz, conf: conf ?? settings.conf, iou: iou ?? settings.iou, maxDet: maxDet ?? settings.maxDet };
  for (const name of ['conf', 'iou'] as const) {
    if (!(found[name] >= 0 && found[name] <= 1)) throw usage(`${name} must be a number from 0 to 1, not ${found[name]}`);
  }
  if (!(Number.isInteger(found.maxDet) && found.maxDet >= 1)) throw usage(`maxDet must be an integer of at least 1, not ${found.maxDet}`);
  return found;
}

export async function segmented(network: Network, photo: Pixels, overrides: Overrides = {}): Promise<{ found: Found; seconds: Seconds }> {
  const use = checkedOverrides(network.settings, overrides), times = [performance.now()], now = (): void => { times.push(performance.now()); };
  const letterbox = fit({ width: photo.width, height: photo.height }, use.imgsz), images = tensor(photo, letterbox);
  now();
  const { candidates, rows, prototypes, maps, w, h } = await network.run(images, letterbox.input);
  now();
  const raw = detections(candidates, rows, coefficientsOf(maps, use.placed), use);
  const cell = Math.floor(letterbox.input.height / h), boxes = toPhoto(letterbox, raw.boxes);
  const weighed = place(raw.coefficients, prototypes, raw.boxes, w, h, cell, use.placed);
  const source = { ...weighed, w, h, cell, letterbox, windows: widen(boxes, use.margin, letterbox.photo) };
  const runs = Array.from(raw.scores, (_, i) => runsOfMask(source, i));
  const every = { size: letterbox.photo, boxes, scores: raw.scores, classes: raw.classes, runs, source };
  const found = taken(every, runs.flatMap((own, i) => (own.columns.length ? [i] : [])));
  now();
  const [letterboxed, ran, masked] = [0, 1, 2].map((k) => (times[k + 1] - times[k]) / 1000);
  return { found, seconds: { letterbox: letterboxed, network: ran, masks: masked } };
}
