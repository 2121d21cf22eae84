/** The same for ES modules: one implementation, so that `instanceof` holds whichever way a program came by it. */
export * from './index.js'
