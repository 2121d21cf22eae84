/** The same for ES modules: one implementation, whichever way a program came by it. */
export * from './index.js'
