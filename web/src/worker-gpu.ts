// The worker where there is a graphics processor, which runs the first network. The second stays on the CPU, whose
// answers are those of Python.

import * as ort from 'onnxruntime-web/jspi';
import { answering } from './answering.ts';
import { openOnGpu } from './gpu.ts';

answering({ ort, file: 'ort-wasm-simd-threaded.jspi', open: openOnGpu });
