// PNG files (W3C PNG 1.2) and zips that store (APPNOTE 6.3), written whole: a canvas can write neither 16 bits nor
// transparent pixels exactly.

export async function png(width: number, height: number, kind: 'labels' | 'rgba', data: ArrayLike<number>): Promise<Uint8Array> {
  const bytes = kind === 'labels' ? 2 : 4, rows = new Uint8Array(height * (1 + width * bytes)); // each row begins with its filter
  for (let y = 0, from = 0, to = 0; y < height; y++) {
    to += 1;
    for (let x = 0; x < width * (kind === 'labels' ? 1 : 4); x++, from++) {
      if (kind === 'labels') rows[to++] = data[from] >> 8;
      rows[to++] = data[from] & 255;
    }
  }
  const packed = new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream('deflate')));
  const head = new Uint8Array([...big(width), ...big(height), kind === 'labels' ? 16 : 8, kind === 'labels' ? 0 : 6, 0, 0, 0]);
  const signature = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]);
  return joined([signature, chunk('IHDR', head), chunk('IDAT', new Uint8Array(await packed.arrayBuffer())), chunk('IEND', new Uint8Array(0))]);
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  const body = joined([ascii(name), data]);
  return joined([new Uint8Array(big(data.length)), body, new Uint8Array(big(crc(body)))]);
}

export function zip(files: readonly { readonly name: string; readonly data: Uint8Array }[]): Uint8Array {
  const parts: Uint8Array[] = [], table: Uint8Array[] = [];
  let at = 0;
  for (const { name: called, data } of files) {
    const name = new TextEncoder().encode(called);
    const facts = [...little(crc(data), 4), ...little(data.length, 4), ...little(data.length, 4), ...little(name.length, 2), 0, 0];
    const common = [20, 0, 0, 8, 0, 0, 0, 0, 33, 0, ...facts]; // version, names in UTF-8, stored, 1 January 1980
    const head = joined([new Uint8Array([80, 75, 3, 4, ...common]), name]);
    table.push(joined([new Uint8Array([80, 75, 1, 2, 20, 0, ...common, ...new Array<number>(10).fill(0), ...little(at, 4)]), name]));
    parts.push(head, data);
    at += head.length + data.length;
  }
  const length = table.reduce((sum, entry) => sum + entry.length, 0), n = little(files.length, 2);
  return joined([...parts, ...table, new Uint8Array([80, 75, 5, 6, 0, 0, 0, 0, ...n, ...n, ...little(length, 4), ...little(at, 4), 0, 0])]);
}

const big = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
const little = (value: number, n: number): number[] => Array.from({ length: n }, (_, k) => (value >>> (8 * k)) & 255);
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const TABLE = Int32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let k = 0; k < 8; k++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc(data: Uint8Array): number {
  let value = -1;
  for (const byte of data) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return ~value >>> 0;
}
