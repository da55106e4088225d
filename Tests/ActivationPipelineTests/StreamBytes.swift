import Foundation
import TestSupport

/// The committed stream of `tools/make_stream_fixture.py`: 10 rows in blocks of 4, layers 1 and 4, width 3, bf16; rows 0
/// and 5 are BOS.
enum StreamBytes {
    /// Its bytes.
    static func tiny(_ name: String = "tiny.stream") throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: fixture("streams/" + name))))
    }

    /// The activations of a row at a layer's place.
    static func values(_ row: Int, layer: Int) -> [Float] {
        let first = Float(row) + Float(layer) / 4
        return [first, first + 0.0625, first + 0.125]
    }

    /// Bytes of a stream's header, its length included.
    static func headerLength(_ bytes: [UInt8]) -> Int {
        8 + bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// The stream with the text of its header changed.
    static func withHeader(_ change: (String) -> String) throws -> [UInt8] {
        let bytes = try tiny()
        let length = headerLength(bytes)
        let json = Array(change(String(decoding: bytes[8..<length], as: UTF8.self)).utf8)
        return withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json + bytes[length...]
    }
}
