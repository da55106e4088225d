import Crypto

/// A running digest of a stream's blocks: SHA-256 of the digest so far and the next block's checksum.
struct StreamDigest: Equatable {
    private var bytes = [UInt8](repeating: 0, count: 32)

    /// The digest of no block.
    init() {}

    /// Adds a block by its checksum.
    mutating func add(checksum: [UInt8]) {
        bytes = Array(SHA256.hash(data: bytes + checksum))
    }

    /// The digest stored in a stream's position under `name_0` to `name_3`; nil if it has none.
    init?(_ numbers: [String: UInt64], _ name: String) {
        let words = (0..<4).compactMap { numbers["\(name)_\($0)"] }
        guard words.count == 4 else { return nil }
        bytes = words.flatMap { word in withUnsafeBytes(of: word.bigEndian, Array.init) }
    }

    /// The digest as numbers of a stream's position.
    func numbers(_ name: String) -> [String: UInt64] {
        bytes.withUnsafeBytes { bytes in
            Dictionary(
                uniqueKeysWithValues: (0..<4).map { place in
                    (
                        "\(name)_\(place)",
                        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8 * place, as: UInt64.self))
                    )
                })
        }
    }
}
