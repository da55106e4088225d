internal import Glibc

/// A regular file read piece by piece, by any number of threads.
///
/// It is read and not mapped into memory, so that a file that another program truncates, or a disk that fails, is an
/// error at once; `MappedFile` is for large constant arrays.
package final class ReadableFile: Sendable {
    /// Where the file was opened.
    package let path: String
    /// The size when the file was opened; the file must not shrink.
    package let byteCount: Int

    let descriptor: Int32

    /// Opens a file.
    ///
    /// - Throws: `.missing` or `.unreadable`.
    package init(path: String) throws(SafetensorsError) {
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK
        var descriptor = open(path, flags)
        if descriptor < 0, errno == EMFILE, Self.allowMoreFiles() { descriptor = open(path, flags) }
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { throw .missing(path: path) }
            let advice = errno == EMFILE ? "; allow more open files with 'ulimit -n'" : ""
            throw .unreadable(path: path, reason: systemErrorText() + advice)
        }

        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let reason = systemErrorText()
            close(descriptor)
            throw .unreadable(path: path, reason: reason)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .unreadable(path: path, reason: "it is not a regular file")
        }
        self.path = path
        self.descriptor = descriptor
        byteCount = Int(status.st_size)
    }

    deinit {
        close(descriptor)
    }

    /// Fills a buffer with the bytes from an offset on.
    ///
    /// - Throws: `.shortened` if the file ends before, `.unreadable` if the system cannot read it.
    package func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws(SafetensorsError) {
        guard var place = target.baseAddress else { return }
        var offset = offset
        var left = target.count
        while left > 0 {
            let count = pread(descriptor, place, left, off_t(offset))
            if count < 0 {
                if errno == EINTR { continue }
                throw .unreadable(path: path, reason: systemErrorText())
            }
            guard count > 0 else {
                throw .shortened(path: path, opened: byteCount, found: presentByteCount ?? offset)
            }
            place += count
            offset += count
            left -= count
        }
    }

    /// The size of the file now; nil if the system does not say.
    var presentByteCount: Int? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : nil
    }

    /// A range of the bytes, as a copy.
    ///
    /// - Throws: as `read(at:into:)`.
    package func bytes(_ range: Range<Int>) throws(SafetensorsError) -> [UInt8] {
        var failure: SafetensorsError?
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            do throws(SafetensorsError) {
                let target = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[..<range.count])
                try read(at: range.lowerBound, into: target)
                count = range.count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Bytes read at a time: they stay in the cache until they are used.
    static let pieceByteCount = 1 << 16

    /// Calls `body` with a range of the bytes, piece after piece, each with its offset in the range. All pieces but the
    /// last have a multiple of eight bytes.
    ///
    /// - Throws: as `read(at:into:)`.
    package func forEachPiece(
        of range: Range<Int>, _ body: (_ piece: UnsafeRawBufferPointer, _ offset: Int) -> Void
    ) throws(SafetensorsError) {
        var failure: SafetensorsError?
        withUnsafeTemporaryAllocation(byteCount: max(min(range.count, Self.pieceByteCount), 1), alignment: 64) {
            buffer in
            for offset in stride(from: 0, to: range.count, by: Self.pieceByteCount) {
                let piece = UnsafeMutableRawBufferPointer(
                    rebasing: buffer[..<min(Self.pieceByteCount, range.count - offset)])
                do throws(SafetensorsError) { try read(at: range.lowerBound + offset, into: piece) } catch {
                    failure = error
                    return
                }
                body(UnsafeRawBufferPointer(piece), offset)
            }
        }
        if let failure { throw failure }
    }

    /// Prefetches a range of the bytes. Only a hint.
    func prefetch(_ range: Range<Int>) {
        // A length of 0 would mean all the rest.
        guard !range.isEmpty else { return }
        posix_fadvise(descriptor, off_t(range.lowerBound), off_t(range.count), POSIX_FADV_WILLNEED)
    }

    /// Raises the process's soft limit on open files to the hard limit. A model or a text may have more shards
    /// than the default allows.
    private static func allowMoreFiles() -> Bool {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max
        else {
            return false
        }
        limit.rlim_cur = limit.rlim_max
        return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    }
}

/// The system's message for `errno`.
func systemErrorText() -> String {
    String(cString: strerror(errno))
}
