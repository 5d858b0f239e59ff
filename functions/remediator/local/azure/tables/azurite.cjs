// Start Azurite's table service by the embedded cloud's clock, for whatever accounts the proxy in front of it lets in.
//
// Arguments: path of the clock's file (one double: seconds ahead of real time), folder of the azurite package, then
// Azurite's own. Azurite reads accounts from its environment once; here the proxy says which accounts exist.
'use strict'
const fs = require('fs')
const path = require('path')

const [clockFile, folder] = process.argv.splice(2, 2)
const clock = fs.openSync(clockFile, 'r')
const page = Buffer.alloc(8)

function ahead () {
  fs.readSync(clock, page, 0, 8, 0)
  return Math.round(page.readDoubleLE(0) * 1000)
}

const RealDate = Date
global.Date = class Date extends RealDate {
  constructor (...parts) {
    if (parts.length === 0) super(RealDate.now() + ahead())
    else super(...parts)
  }

  static now () {
    return RealDate.now() + ahead()
  }
}

// Nobody needs this process once whoever started it is gone.
process.stdin.resume()
process.stdin.on('end', () => process.exit())

const accounts = require(path.join(folder, 'dist/src/common/AccountDataStore.js')).default
const key1 = Buffer.from(process.env.EMBEDDED_STORAGE_KEY, 'base64')
accounts.prototype.getAccount = name => ({ name, key1 })

require(path.join(folder, 'dist/src/table/main.js'))
