// What is drawn over the photo: everything, the answer, the prompt.

const hue = (index) => (index * 0.61803398875 % 1) * 360;
const vivid = (share) => 1 - 0.7 * Math.min(1, Math.max(0, Math.log(share / 0.01) / Math.log(30)));  // large regions are pale
const heat = (share) => 250 - 210 * Math.min(1, Math.max(0, share));

// The colour of a segment, as CSS and as [r, g, b].
export function colour(segment, how, photo) {
  const [h, s, l] = how === 'size' ? [heat(Math.sqrt(segment.area / photo)), 85, 58]
    : how === 'score' ? [heat(segment.score), 85, 58]
      : [hue(segment.index), Math.round([70, 90, 78][segment.index % 3] * vivid(segment.area / photo)), [60, 52, 64][segment.index % 3]];
  return { css: `hsl(${h.toFixed(0)} ${s}% ${l}%)`, rgb: rgb(h, s / 100, l / 100) };
}

function rgb(h, s, l) {
  const a = s * Math.min(l, 1 - l);
  return [0, 8, 4].map((n) => {
    const k = (n + h / 30) % 12;
    return Math.round(255 * (l - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  });
}

// Every label tinted, and outlined where neighbours differ.
export function drawLabels(canvas, labels, colours, opacity, outlines) {
  const { width, height } = canvas, image = new ImageData(width, height), data = image.data;
  const alpha = Math.round(255 * opacity);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p++) {
      const label = labels[p];
      if (!label) continue;
      const edge = outlines && ((x + 1 < width && labels[p + 1] !== label) || (x && labels[p - 1] !== label)
        || (y + 1 < height && labels[p + width] !== label) || (y && labels[p - width] !== label));
      const c = colours[label - 1], o = p * 4;
      for (let k = 0; k < 3; k++) data[o + k] = edge ? 255 - (255 - c[k]) / 2 : c[k];
      data[o + 3] = edge ? 255 : alpha;
    }
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
}

// A mask (values above 0 in `labels`) in strong colour with a line about it that shows on any ground.
export function drawAnswer(canvas, labels, strong) {
  const { width, height } = canvas, context = canvas.getContext('2d');
  context.clearRect(0, 0, width, height);
  if (!labels) return;
  const image = new ImageData(width, height), data = new Uint32Array(image.data.buffer);
  const reach = Math.max(1, Math.round(Math.max(width, height) / 500));
  const [line, tint, shade] = [[255, 255, 255, 255], [30, 144, 255, strong ? 130 : 85], [0, 0, 0, strong ? 70 : 0]]
    .map((rgba) => new Uint32Array(Uint8Array.from(rgba).buffer)[0]);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p++) {
      if (labels[p]) {
        const edge = x < reach || y < reach || x + reach >= width || y + reach >= height
          || !labels[p + reach] || !labels[p - reach] || !labels[p + width * reach] || !labels[p - width * reach];
        data[p] = edge ? line : tint;
      } else {
        data[p] = shade;
      }
    }
  }
  context.putImageData(image, 0, 0);
}

// Points, a box, the keyboard's cursor, a stroke and corners, in canvas pixels; one of them is `unit` pixels of the screen.
export function drawPrompt(canvas, { points = [], labels = [], box, cursor, line, rings = [] }, unit) {
  const context = canvas.getContext('2d');
  context.save();
  context.lineWidth = 2 / unit;
  if (box) {
    for (const [style, dash] of [['#000', []], ['#fff', [6 / unit, 6 / unit]]]) {
      context.strokeStyle = style;
      context.setLineDash(dash);
      context.strokeRect(box[0], box[1], box[2] - box[0], box[3] - box[1]);
    }
    context.setLineDash([]);
  }
  points.forEach(([x, y], k) => {
    context.beginPath();
    context.arc(x, y, 7 / unit, 0, 2 * Math.PI);
    context.fillStyle = labels[k] ? '#12a150' : '#d92d20';
    context.strokeStyle = '#fff';
    context.fill();
    context.stroke();
    context.beginPath();
    context.moveTo(x - 3.5 / unit, y);
    context.lineTo(x + 3.5 / unit, y);
    if (labels[k]) { context.moveTo(x, y - 3.5 / unit); context.lineTo(x, y + 3.5 / unit); }
    context.stroke();
  });
  if (line) {
    context.beginPath();
    line.forEach(([x, y]) => context.lineTo(x, y));
    context.strokeStyle = '#d92d20';
    context.stroke();
  }
  for (const ring of rings) {
    context.beginPath();
    ring.forEach(([x, y]) => context.lineTo(x, y));
    context.closePath();
    context.strokeStyle = '#fff';
    context.stroke();
    for (const [x, y] of ring) {
      context.fillStyle = '#0b63c5';
      context.fillRect(x - 4 / unit, y - 4 / unit, 8 / unit, 8 / unit);
      context.strokeRect(x - 4 / unit, y - 4 / unit, 8 / unit, 8 / unit);
    }
  }
  if (cursor) {
    const [x, y] = cursor, r = 12 / unit;
    for (const [style, wide] of [['#000', 4], ['#fff', 2]]) {
      context.strokeStyle = style;
      context.lineWidth = wide / unit;
      context.beginPath();
      context.moveTo(x - r, y); context.lineTo(x + r, y); context.moveTo(x, y - r); context.lineTo(x, y + r);
      context.stroke();
    }
  }
  context.restore();
}
