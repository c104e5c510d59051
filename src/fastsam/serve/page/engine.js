// Whom the page asks. It knows no other way to segment: another engine takes this one's place here, in this one line.
//
// An engine is a module of these functions. Each rejects with an Error whose message is a line for a person; `status` is
// 404 if the engine has forgotten the photo, which is then segmented once more.
//
// server: whether a service of `fastsam` is behind the page, which may have a folder of photos
// about() -> { version, model, conf, iou, max_det, imgsz, words: whether it reads words, formats?: those that it writes,
//   exports?: those of all photos, default: all; imports?: whether it reads annotations, default: true }, once its network
//   is loaded
// segment(file, options, sending) -> { id, name, width, height, names, seconds: { network }, segments: [row] }
//   options: { conf, iou, max_det, refine? }; sending(share 0..1, then null while the network runs)
//   row: { index, category_id, segmentation: { size: [height, width], counts: COCO's letters }, area, bbox: xywh,
//     score, box: xyxy of the network, name? }
// select(id, { prompts | texts, among, refine? }) -> [pick | null], one for each prompt
//   prompts: [{ points, labels, box?, mask? }]; among: indices of the rows that may answer
//   pick: a row and { how: mask | union | difference | drawn, candidates: [row or { index, score, how?, plus?, minus? },
//     best first], matches?: [row] of a text }
// name(id, { words, all, among }) -> [word | null], one for each row
// file(id, { format, among, prompts?, texts?, rank?, refine? }) -> { blob, name }; format: overlay, coco, labelme, png,
//   cutouts
// exported({ format, classes: names, photos: [{ name, width, height, done, objects }] }) -> { blob, name } of what is kept of
//   all photos; objects: [{ name, counts, hidden, locked }]
// imported([file], { name: [width, height] }) -> { photos: [{ name, width, height, objects }], unsized: [name] } of files of
//   annotations; unsized: of photos whose sizes must be given, since their files do not say them
// example(name) -> Blob of a photo that comes with the page
// forget(id): frees what is kept of a photo; never rejects
// film: null if the engine takes no videos, or
//   open(file, sending) -> { id, name, width, height, frames, rate }; forget(id)
//   frame(id, number) -> Blob of a JPEG
//   follow(id, { frame, prompts: [{ mask }], backwards }, signal, each): calls each({ frame, objects: [row | null] })
//   saved(id, format: overlay or coco) -> { blob, name }

export { about, example, exported, file, film, forget, imported, name, segment, select, server } from './engine/server.js';
