import CFileMapping

/// The bytes of a file in memory, read-only, without a copy: pages are read when they are touched, and the system drops
/// them when it needs the memory.
///
/// If the file becomes shorter, what is missing reads as zeros, and `check()` throws: whoever has read anything calls it
/// before the result is used.
package final class MappedFile: @unchecked Sendable {
    /// The first byte of the file; valid as long as this lives.
    package let start: UnsafeRawPointer
    private let file: ReadableFile
    private let mapping: Int32

    /// Maps a file as long as it was when it was opened.
    ///
    /// - Throws: `.unreadable`.
    init(_ file: ReadableFile) throws(SafetensorsError) {
        self.file = file
        var start: UnsafeRawPointer?
        mapping = rsae_map_file(file.descriptor, file.byteCount, &start)
        guard mapping >= 0, let start else {
            throw .unreadable(path: file.path, reason: "it cannot be mapped into memory: \(systemErrorText())")
        }
        self.start = start
    }

    deinit { rsae_unmap_file(mapping) }

    /// Checks that everything read so far was there.
    ///
    /// - Throws: `.shortened`, or `.unreadable` where the system could not read the file.
    package func check() throws(SafetensorsError) {
        guard rsae_mapping_is_broken(mapping) else { return }
        let found = file.presentByteCount ?? 0
        guard found >= file.byteCount else {
            throw .shortened(path: file.path, opened: file.byteCount, found: found)
        }
        throw .unreadable(path: file.path, reason: "the system could not read all of it")
    }
}
