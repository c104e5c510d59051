// What can go wrong, in one line for a person, and in one word for a program.

// photo: cannot be read. weights: cannot be loaded. runtime: no WebAssembly here. memory: the browser gives no more.
// usage: a wrong argument. closed: the model or the result was closed before.
export type Trouble = 'photo' | 'weights' | 'runtime' | 'memory' | 'usage' | 'closed';

export class FastSAMError extends Error {
  override readonly name = 'FastSAMError';

  constructor(readonly kind: Trouble, message: string) {
    super(message);
  }
}

export function usage(message: string): FastSAMError {
  return new FastSAMError('usage', message);
}

const MEMORY = /memory|allocation|array buffer|Invalid (typed )?array length|bad_alloc/i;

// Any error as ours: refused memory is told from the rest, which is of the kind that is given.
export function ours(error: unknown, kind: Trouble, message: string): FastSAMError {
  if (error instanceof FastSAMError) return error;
  const said = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError || MEMORY.test(said)) {
    return new FastSAMError('memory', 'the browser gives no more memory: close other tabs, or take a smaller photo');
  }
  return new FastSAMError(kind, `${message}: ${said.split('\n', 1)[0]}`);
}
