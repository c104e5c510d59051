// Photos for tests, decoded by libjpeg as OpenCV does it.

import { readFile } from 'node:fs/promises';
import decodeJpeg, { init } from '@jsquash/jpeg/decode.js';

const HOME = new URL('./', import.meta.url);
const BUNDLED = new URL('../../src/fastsam/weights/bundled/', HOME);
let ready: Promise<unknown> | null = null;

export async function photo(name: string): Promise<ImageData> {
  ready ??= readFile(new URL('../node_modules/@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm', HOME))
    .then((bytes) => init(new WebAssembly.Module(bytes)));
  await ready;
  const bytes = await readFile(new URL(`photos/${name}`, HOME));
  return decodeJpeg(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
}

export async function weights(name: 'fastsam-tiny' | 'fastsam-tiny-int8' | 'fastsam-refine'): Promise<Uint8Array> {
  return readFile(new URL(`${name}.onnx`, BUNDLED));
}
