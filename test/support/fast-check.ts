// A property that fails is shrunk for as long as it takes, and a test cannot be stopped in the midst of it: without a limit, one that fails
// in a large capture looks like one that hangs.

import * as fc from 'fast-check';

/** Less than a test may take (vitest.config.ts), ms. */
fc.configureGlobal({ interruptAfterTimeLimit: 100_000, markInterruptAsFailure: true });
