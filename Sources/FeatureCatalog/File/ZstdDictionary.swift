import CZstd

/// What many small blobs have in common, so that none of them has to say it again: blobs of catalogs of versions 2 to 5
/// had one.
package final class ZstdDictionary: @unchecked Sendable {
    /// The number by which frames name it.
    package let id: Int

    // Read-only once made, and zstd allows any number of threads to use it.
    let decompressing: OpaquePointer

    /// Takes a dictionary's bytes.
    ///
    /// - Throws: `Zstd.Failure` if they are not a dictionary with an id.
    package init(content: [UInt8]) throws(Zstd.Failure) {
        let id = content.withUnsafeBytes { ZSTD_getDictID_fromDict($0.baseAddress, $0.count) }
        guard id > 0 else { throw Zstd.Failure(description: "not a zstd dictionary") }
        guard let decompressing = content.withUnsafeBytes({ ZSTD_createDDict($0.baseAddress, $0.count) }) else {
            throw Zstd.Failure(description: "a zstd dictionary that cannot be read")
        }
        self.id = Int(id)
        self.decompressing = decompressing
    }

    deinit {
        ZSTD_freeDDict(decompressing)
    }
}
