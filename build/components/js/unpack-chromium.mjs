// node unpack-chromium.mjs NODE_MODULES DEST: unpack the browser inside @sparticuz/chromium without its launcher, which
// leaves out the NSS libraries that a bare Debian lacks. Everything in the package is Brotli-compressed.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'

const source = path.join(process.argv[2], '@sparticuz/chromium/bin')
const dest = path.resolve(process.argv[3])
fs.mkdirSync(dest, { recursive: true })
for (const file of fs.readdirSync(source)) {
  const data = zlib.brotliDecompressSync(fs.readFileSync(path.join(source, file)))
  if (file.endsWith('.tar.br')) execFileSync('tar', ['-x', '-C', dest], { input: data })
  else fs.writeFileSync(path.join(dest, path.basename(file, '.br')), data, { mode: 0o755 })
}
// The packaged fonts.conf names directories that do not exist here, and without a font Chromium aborts when it lays out text.
fs.writeFileSync(path.join(dest, 'fonts.conf'),
  `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${dest}/fonts</dir><cachedir>${dest}/fonts-cache</cachedir></fontconfig>\n`)
