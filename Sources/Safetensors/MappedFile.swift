internal import Glibc

/// The bytes of a regular file, mapped read-only for as long as the value lives.
///
/// The file must not be truncated meanwhile: the system then kills a process that touches the lost pages. Files that are
/// replaced by renaming, as `SafetensorsWriter` does, are safe.
final class MappedFile: Sendable {
    /// Shared without a lock since nothing writes to it.
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    /// - Throws: `.missing` or `.unreadable`.
    init(path: String) throws(SafetensorsError) {
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { throw .missing(path: path) }
            throw .unreadable(path: path, reason: systemErrorText())
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: systemErrorText()) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(path: path, reason: "it is not a regular file")
        }
        let size = Int(status.st_size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw .unreadable(path: path, reason: systemErrorText())
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    deinit {
        if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
    }
}

/// The system's words for the error that the last call left in `errno`.
func systemErrorText() -> String {
    String(cString: strerror(errno))
}
