/// A file in a zip archive.
struct ZipEntry: Sendable, Equatable {
    /// The entry's name, with slashes.
    let name: String
    /// Its bytes in the archive's file.
    let bytes: Range<Int>
    /// The CRC-32 of its bytes. 0 where the writer computed none, as torch with `set_crc32_options(False)`.
    let crc: UInt32
    /// How the bytes are compressed: 0 for not at all.
    let method: UInt16

    /// Names of the methods of compression, for messages.
    static let methods: [UInt16: String] = [
        8: "deflate", 9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "zstd", 95: "xz",
    ]

    /// The longest name, in bytes.
    static let longestName = 4096

    /// Why a name is refused, nil for one that is fine.
    static func fault(ofName name: [UInt8]) -> String? {
        guard !name.isEmpty else { return "is empty" }
        guard name.count <= longestName else { return "is longer than \(longestName) bytes" }
        guard let text = String(validating: name, as: UTF8.self) else { return "is not UTF-8" }
        if name.contains(0) { return "has a NUL" }
        if name.contains(UInt8(ascii: "\\")) { return "has a backslash" }
        if text.hasPrefix("/") { return "is an absolute path" }
        if text.split(separator: "/").contains("..") { return "leads out of the archive" }
        return nil
    }
}
