// A step of the release build: lets the compiler inline a function that is called from one place only, however large it is.
//
// asc stops at 200 nodes, which leaves four calls a packet in the decoder's loop and costs a fifth of its speed. The other way,
// an @inline before each function, is one that neither tsc nor the formatter can read.

// What few packets need stays a call, so that it takes no registers from the loop: a twentieth of the speed. And what runs only once,
// for long, keeps a part that is called many times: the engine compiles that anew, and better, while the whole would be through before.
// It also compiles all of a function of which one part is hot: so each format of captures, of which a run needs one, has its own.

const NO_LIMIT = 1 << 16;
const CALLED = [
  'assembly/pcap/decodeRecords',
  'assembly/pcapng/decodeBlocks',
  'assembly/snoop/decodeSnoop',
  'assembly/ticks/decodeTicks',
  'assembly/line/writeLine',
  'assembly/frame/frame',
  'assembly/link/openLink',
  'assembly/filter/passes',
  'assembly/network/networkHeader',
  'assembly/tunnel/innermost',
  'assembly/packets/takeEach',
  'assembly/order/gatherPart',
  'assembly/order/countPart',
  'assembly/order/distributePart',
  'assembly/order/mergeRuns',
  'assembly/ledger/countPart',
  'assembly/ledger/placePart',
];

export default class {
  afterCompile() {
    const { module } = this.program;
    for (const name of CALLED) {
      module.setPassArgument('no-inline', name);
      module.runPasses(['no-inline']);
    }
    const { setOneCallerInlineMaxSize } = module;
    module.setOneCallerInlineMaxSize = () => setOneCallerInlineMaxSize.call(module, NO_LIMIT);
  }
}
