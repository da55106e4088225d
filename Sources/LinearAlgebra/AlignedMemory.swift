import Glibc

/// Memory of arrays, aligned to 64 bytes.
enum AlignedMemory {
    /// Bytes of a huge page of x86-64.
    private static let hugePage = 1 << 21

    /// Allocates memory, to be freed by `deallocate`.
    ///
    /// Large arrays are put into huge pages if possible: products read rows of weights further apart
    /// than a page, and the processor caches the addresses of only so many pages.
    static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        guard byteCount >= 4 * hugePage else {
            return UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        }

        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: hugePage)
        // Whole huge pages only, so that no more memory is taken than requested. Only a hint.
        madvise(memory, byteCount / hugePage * hugePage, MADV_HUGEPAGE)
        return memory
    }
}
