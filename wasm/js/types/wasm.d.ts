/** The module, where files of WebAssembly can be imported, as in Workers. */
declare const module: object;
export default module;
