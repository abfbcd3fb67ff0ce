/** The same chunks, of which the next one is made while one is looked at. */
export async function* ahead(chunks: AsyncGenerator<Uint8Array, void, undefined>): AsyncGenerator<Uint8Array, void, undefined> {
  // It may fail before anybody asks for it.
  const next = () => Promise.allSettled([chunks.next()]);
  let coming = next();
  try {
    for (;;) {
      const [come] = await coming;
      if (come.status === 'rejected') throw come.reason;
      if (come.value.done) return;
      coming = next();
      yield come.value.value;
    }
  } finally {
    await coming;
    await chunks.return();
  }
}
