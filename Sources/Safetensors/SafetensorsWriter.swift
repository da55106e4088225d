internal import Glibc

/// Writes a safetensors file piece by piece.
///
/// Every tensor is declared beforehand, since the header comes first in the file. The tensors are appended to in any
/// order, interleaved or not. The data goes to `path + ".partial"`, which `finish()` checks and renames to
/// `path`; a file under its own name is therefore always complete. An unfinished writer removes its partial
/// file.
package final class SafetensorsWriter {
    /// Where the file will be.
    package let path: String
    /// Where the file is until it is finished.
    package let partialPath: String

    private let overwrite: Bool
    private let tensors: [String: TensorDescription]
    /// The declared order, in which `finish()` looks for what is missing.
    private let names: [String]
    /// How many elements each tensor has been given.
    private var written: [String: Int] = [:]
    /// -1 once finished or abandoned.
    private var descriptor: Int32 = -1

    /// Opens the partial file and writes the header.
    ///
    /// The data is laid out by falling element size, so that every tensor is aligned for its type, and otherwise in the
    /// order given.
    ///
    /// - Parameters:
    ///   - path: the file to make.
    ///   - tensors: every tensor's name, stored type, and shape (outermost extent first).
    ///   - metadata: free-form text for the header.
    ///   - overwrite: whether a file at `path` may be replaced.
    /// - Throws: `.exists`, `.cannotWrite` (also for a name declared twice and for shapes beyond 2^63 bytes).
    package init(
        path: String, tensors: [(name: String, dtype: TensorDType, shape: [Int])], metadata: [String: String] = [:],
        overwrite: Bool = false
    ) throws(SafetensorsError) {
        self.path = path
        self.partialPath = path + ".partial"
        self.overwrite = overwrite
        names = tensors.map(\.name)
        let layout = try Self.layOut(tensors, metadata: metadata, path: path)
        self.tensors = layout.tensors

        try refuseExistingFile()
        descriptor = try Self.openExclusively(partialPath)
        guard ftruncate(descriptor, 0) == 0, ftruncate(descriptor, off_t(layout.fileSize)) == 0 else {
            let reason = systemErrorText()
            abandon()
            throw .cannotWrite(path: partialPath, reason: reason)
        }
        do throws(SafetensorsError) {
            try layout.header.withUnsafeBufferPointer { bytes throws(SafetensorsError) in
                try write(UnsafeRawBufferPointer(bytes), at: 0)
            }
        } catch {
            abandon()
            throw error
        }
    }

    deinit { abandon() }

    /// Adds elements to a tensor, narrowed to its declared type (nearest, ties to even).
    ///
    /// - Throws: `.noSuchTensor`, `.wrongDType` if it was not declared as `F64`, `F32`, `F16` or `BF16`,
    ///   `.wrongElementCount` if it has no room for them, `.cannotWrite`.
    package func append(_ name: String, floats: UnsafeBufferPointer<Float>) throws(SafetensorsError) {
        let tensor = try declaredTensor(name)
        guard tensor.dtype.isConvertibleToFloat else {
            throw .wrongDType(name: name, path: path, expected: "F64, F32, F16 or BF16", found: tensor.dtype)
        }
        if tensor.dtype == .f32 {
            try append(UnsafeRawBufferPointer(floats), count: floats.count, to: tensor)
            return
        }
        // Reserved beforehand, so that a tensor without room is left as it was.
        try checkRoom(for: floats.count, in: tensor)
        let pieceCount = min(floats.count, 65_536)
        let scratch = UnsafeMutableRawBufferPointer.allocate(
            byteCount: pieceCount * tensor.dtype.byteCount, alignment: 8)
        defer { scratch.deallocate() }
        guard let narrowed = scratch.baseAddress else { return }
        for start in stride(from: 0, to: floats.count, by: max(pieceCount, 1)) {
            let piece = UnsafeBufferPointer(rebasing: floats[start..<min(start + pieceCount, floats.count)])
            FloatConversion.narrow(piece, dtype: tensor.dtype, into: narrowed)
            let bytes = UnsafeRawBufferPointer(start: narrowed, count: piece.count * tensor.dtype.byteCount)
            try append(bytes, count: piece.count, to: tensor)
        }
    }

    /// Adds elements to a tensor, narrowed to its declared type (nearest, ties to even).
    ///
    /// - Throws: as the form that takes a buffer.
    package func append(_ name: String, floats: [Float]) throws(SafetensorsError) {
        try floats.withUnsafeBufferPointer { buffer throws(SafetensorsError) in try append(name, floats: buffer) }
    }

    /// Adds elements to a tensor of an integer type.
    ///
    /// - Throws: `.noSuchTensor`, `.wrongDType` if it was not declared as an integer type, `.wrongElementCount` if it has
    ///   no room for them, `.cannotWrite` (also for a value that the type does not hold).
    package func append(_ name: String, integers: [Int64]) throws(SafetensorsError) {
        let tensor = try declaredTensor(name)
        let path = path
        func stored<Stored: FixedWidthInteger>(_ type: Stored.Type) throws(SafetensorsError) -> [UInt8] {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(integers.count * MemoryLayout<Stored>.size)
            for value in integers {
                guard let element = Stored(exactly: value) else {
                    throw .cannotWrite(
                        path: path, reason: "\(value) does not fit tensor \"\(name)\" of type \(tensor.dtype.rawValue)"
                    )
                }
                withUnsafeBytes(of: element.littleEndian) { bytes.append(contentsOf: $0) }
            }
            return bytes
        }

        let bytes: [UInt8]
        switch tensor.dtype {
        case .i64: bytes = try stored(Int64.self)
        case .i32: bytes = try stored(Int32.self)
        case .i16: bytes = try stored(Int16.self)
        case .i8: bytes = try stored(Int8.self)
        case .u64: bytes = try stored(UInt64.self)
        case .u32: bytes = try stored(UInt32.self)
        case .u16: bytes = try stored(UInt16.self)
        case .u8, .bool: bytes = try stored(UInt8.self)
        default: throw .wrongDType(name: name, path: path, expected: "an integer type", found: tensor.dtype)
        }
        try bytes.withUnsafeBufferPointer { buffer throws(SafetensorsError) in
            try append(UnsafeRawBufferPointer(buffer), count: integers.count, to: tensor)
        }
    }

    /// Checks that every tensor is complete, syncs the file and renames it.
    ///
    /// After an error the writer is as before, except that a file can be finished only once.
    ///
    /// - Throws: `.wrongElementCount` for the first tensor that lacks elements, `.exists`, `.cannotWrite`.
    package func finish() throws(SafetensorsError) {
        precondition(descriptor >= 0, "the file was already finished or abandoned")
        for name in names {
            guard let tensor = tensors[name] else { continue }
            let count = written[name, default: 0]
            guard count == tensor.elementCount else {
                throw .wrongElementCount(name: name, path: path, expected: tensor.elementCount, found: count)
            }
        }
        try refuseExistingFile()
        guard fsync(descriptor) == 0 else { throw .cannotWrite(path: partialPath, reason: systemErrorText()) }
        guard rename(partialPath, path) == 0 else { throw .cannotWrite(path: path, reason: systemErrorText()) }
        close(descriptor)
        descriptor = -1
        syncDirectory()
    }

    /// Removes the partial file. Does nothing to a finished file.
    package func abandon() {
        guard descriptor >= 0 else { return }
        unlink(partialPath)
        close(descriptor)
        descriptor = -1
    }

    private func declaredTensor(_ name: String) throws(SafetensorsError) -> TensorDescription {
        guard let tensor = tensors[name] else { throw .noSuchTensor(name: name, path: path) }
        return tensor
    }

    private func checkRoom(for count: Int, in tensor: TensorDescription) throws(SafetensorsError) {
        let before = written[tensor.name, default: 0]
        guard count <= tensor.elementCount - before else {
            throw .wrongElementCount(
                name: tensor.name, path: path, expected: tensor.elementCount, found: before + count
            )
        }
    }

    private func append(
        _ bytes: UnsafeRawBufferPointer, count: Int, to tensor: TensorDescription
    ) throws(SafetensorsError) {
        try checkRoom(for: count, in: tensor)
        let before = written[tensor.name, default: 0]
        try write(bytes, at: tensor.byteRange.lowerBound + before * tensor.dtype.byteCount)
        written[tensor.name] = before + count
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SafetensorsError) {
        precondition(descriptor >= 0, "the file was already finished or abandoned")
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw .cannotWrite(path: partialPath, reason: systemErrorText())
            }
            done += count
        }
    }

    private func refuseExistingFile() throws(SafetensorsError) {
        if !overwrite, access(path, F_OK) == 0 { throw .exists(path: path) }
    }

    /// Syncs the directory, so that the new name survives a power cut. Not every file system can; failure is ignored.
    private func syncDirectory() {
        var parent = "."
        if let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) {
            parent = slash == path.startIndex ? "/" : String(path[..<slash])
        }

        let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        fsync(directory)
        close(directory)
    }
}
