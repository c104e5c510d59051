// The settings stored in a weights file: its metadata entry `fastsam`, a JSON object.
//
// onnxruntime-web does not show metadata, so that the file's own fields are read here. An ONNX file is one message of
// Protocol Buffers; metadata are its field 14, pairs of key (1) and value (2).

import { FastSAMError } from './errors.ts';

const METADATA = 14;

// As in Python (`runtimes/settings.py`).
export interface Settings {
  readonly names: readonly string[];
  readonly imgsz: number;
  readonly conf: number;
  readonly iou: number;
  readonly maxDet: number;
  readonly margin: number;
  readonly soft: number;
  readonly placed: number;
}

// Two straight lines (shift, slope) that give the expected IoU of a drawing (see `refine/network.py`).
export interface Lines {
  readonly told: readonly [number, number];
  readonly meant: readonly [number, number];
}

// Each field of a message: its number, and its bytes if it has a length.
function* fields(bytes: Uint8Array): Generator<[number, Uint8Array]> {
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let shift = 1; at < bytes.length; shift *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
    throw new FastSAMError('weights', 'the weights end in the middle: load them again');
  };
  while (at < bytes.length) {
    const key = number(), kind = key % 8;
    const length = kind === 2 ? number() : kind === 1 ? 8 : kind === 5 ? 4 : 0;
    if (kind === 0) number();
    else if (length === 0 && kind !== 2) throw new FastSAMError('weights', 'this is not an ONNX file: give the address of weights');
    if (at + length > bytes.length) throw new FastSAMError('weights', 'the weights end in the middle: load them again');
    yield [Math.floor(key / 8), kind === 2 ? bytes.subarray(at, at + length) : bytes.subarray(0, 0)];
    at += length;
  }
}

// The metadata entry `fastsam`; {} if there is none.
function stored(bytes: Uint8Array): Record<string, unknown> {
  const text = new TextDecoder();
  for (const [field, entry] of fields(bytes)) {
    if (field !== METADATA) continue;
    const pair = new Map([...fields(entry)].map(([key, value]) => [key, text.decode(value)]));
    if (pair.get(1) !== 'fastsam') continue;
    try {
      const found: unknown = JSON.parse(pair.get(2) ?? '');
      if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found as Record<string, unknown>;
    } catch { /* the error below */ }
    throw damaged();
  }
  return {};
}

function damaged(): FastSAMError {
  return new FastSAMError('weights', 'the settings in the weights are damaged: export them again');
}

function number(value: unknown, otherwise: number, most: number): number {
  if (value === undefined) return otherwise;
  if (typeof value !== 'number' || !(value >= 0 && value <= most)) throw damaged();
  return value;
}

export function readSettings(bytes: Uint8Array): Settings {
  const all = stored(bytes), names = all.names ?? ['object'];
  if (!Array.isArray(names) || !names.length || !names.every((name) => typeof name === 'string')) throw damaged();
  if (all.port === true) throw new FastSAMError('weights', 'weights that were trained with Ultralytics do not run here: use fastsam-tiny');
  return {
    names: names as string[],
    imgsz: number(all.imgsz, 640, 1 << 15),
    conf: number(all.conf, 0.25, 1),
    iou: number(all.iou, 0.7, 1),
    maxDet: number(all.max_det, 300, 1_000_000),
    margin: number(all.margin, 0, 1),
    soft: number(all.soft, 0, 100),
    placed: number(all.placed, 0, 64),
  };
}

export function readLines(bytes: Uint8Array): Lines {
  const all = stored(bytes);
  const line = (value: unknown, otherwise: readonly [number, number]): readonly [number, number] => {
    if (value === undefined) return otherwise;
    const right = Array.isArray(value) && value.length === 2 && value.every((v) => typeof v === 'number' && Number.isFinite(v));
    if (!right) throw damaged();
    return [value[0] as number, value[1] as number];
  };
  return { told: line(all.told, [0, 1]), meant: line(all.meant, [2, 1]) };
}
