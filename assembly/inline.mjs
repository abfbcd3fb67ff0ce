// A step of the release build: lets the compiler inline a function that is called from one place only, however large it is.
//
// asc stops at 200 nodes, which leaves four calls a packet in the decoder's loop and costs a fifth of its speed. The other way,
// an @inline before each function, is one that neither tsc nor the formatter can read.

const NO_LIMIT = 1 << 16;

export default class {
  afterCompile() {
    const { module } = this.program;
    const { setOneCallerInlineMaxSize } = module;
    module.setOneCallerInlineMaxSize = () => setOneCallerInlineMaxSize.call(module, NO_LIMIT);
  }
}
