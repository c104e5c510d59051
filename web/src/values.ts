// Plain values that all parts share. Coordinates are photo pixels, xyxy; the origin is the outer corner of the top
// left pixel.

export type Point = readonly [number, number];
export type Box = readonly [number, number, number, number];

export interface Size {
  readonly width: number;
  readonly height: number;
}

// A picture, row by row. channels: 1 for a mask, 3 for RGB, 4 for RGBA whose last channel is never read.
export interface Pixels extends Size {
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array | Uint8ClampedArray;
}

// A mask of the photo's size, row by row: 1 where it is, else 0.
export interface Mask extends Size {
  readonly data: Uint8Array;
}
