// The worker: both networks on the CPU.

import * as ort from 'onnxruntime-web/wasm';
import { answering } from './answering.ts';
import { openNetwork } from './network.ts';

answering({ ort, file: 'ort-wasm-simd-threaded', open: openNetwork });
