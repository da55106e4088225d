import Foundation
import Safetensors
import TestSupport

/// The bytes of a safetensors file with this header and this many bytes of data, whether or not they belong together.
func safetensors(_ header: String, data: Int = 0, claimedLength: UInt64? = nil) -> [UInt8] {
    safetensors(Array(header.utf8), data: data, claimedLength: claimedLength)
}

/// As above, for headers that are not text.
func safetensors(_ header: [UInt8], data: Int = 0, claimedLength: UInt64? = nil) -> [UInt8] {
    let length = claimedLength ?? UInt64(header.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header
        + (0..<data).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
}

extension TemporaryDirectory {
    /// Writes a file into the directory and returns its path.
    func write(_ bytes: [UInt8], as name: String) throws -> String {
        try Data(bytes).write(to: URL(filePath: file(name)))
        return file(name)
    }
}

/// The error that `body` throws, nil if it throws none or another type.
func safetensorsError(_ body: () throws -> Void) -> SafetensorsError? {
    do { try body() } catch { return error as? SafetensorsError }
    return nil
}
