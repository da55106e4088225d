import CZstd

/// What many small blobs have in common, so that none of them has to say it again (table `zstd_dictionary`).
public final class ZstdDictionary: @unchecked Sendable {
    /// The level that blobs are compressed with.
    static let level = 9

    /// The number by which frames name it.
    public let id: Int
    /// Its bytes, as `zstd -D` takes them.
    public let content: [UInt8]

    // Both are read-only once made, and zstd allows any number of threads to use them.
    let compressing: OpaquePointer
    let decompressing: OpaquePointer

    /// Takes a dictionary's bytes.
    ///
    /// - Throws: `Zstd.Failure` if they are not a dictionary with an id.
    public init(content: [UInt8]) throws(Zstd.Failure) {
        let id = content.withUnsafeBytes { ZSTD_getDictID_fromDict($0.baseAddress, $0.count) }
        guard id > 0 else { throw Zstd.Failure(description: "not a zstd dictionary") }
        guard
            let compressing = content.withUnsafeBytes({
                ZSTD_createCDict($0.baseAddress, $0.count, Int32(ZstdDictionary.level))
            })
        else { throw Zstd.Failure(description: "a zstd dictionary that cannot be read") }
        guard let decompressing = content.withUnsafeBytes({ ZSTD_createDDict($0.baseAddress, $0.count) }) else {
            ZSTD_freeCDict(compressing)
            throw Zstd.Failure(description: "a zstd dictionary that cannot be read")
        }
        self.id = Int(id)
        self.content = content
        self.compressing = compressing
        self.decompressing = decompressing
    }

    deinit {
        ZSTD_freeCDict(compressing)
        ZSTD_freeDDict(decompressing)
    }

    /// Trains a dictionary on samples of what it is for; the same samples give the same bytes.
    ///
    /// - Parameter capacity: The most bytes it may have.
    /// - Returns: Nil where there are too few samples for one.
    public static func trained(on samples: [[UInt8]], capacity: Int) -> ZstdDictionary? {
        let joined = samples.flatMap(\.self)
        let sizes = samples.map(\.count)
        var code = 0
        let content = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            code = joined.withUnsafeBytes { bytes in
                sizes.withUnsafeBufferPointer {
                    ZDICT_trainFromBuffer(
                        buffer.baseAddress, capacity, bytes.baseAddress, $0.baseAddress, UInt32($0.count))
                }
            }
            count = ZDICT_isError(code) == 0 ? code : 0
        }
        guard !content.isEmpty else { return nil }
        return try? ZstdDictionary(content: content)
    }
}
