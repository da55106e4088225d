internal import Synchronization

/// A safetensors file, read on demand.
///
/// The header is checked in full when the file is opened, so no later read can leave the file's bounds; only a tensor
/// of an unknown element type is checked on demand. Values can be read from several threads at once. A
/// truncated file gives an error when its end is read.
package final class SafetensorsFile: Sendable {
    /// Where the file was opened.
    package let path: String
    /// The header's free-form text entries.
    package let metadata: [String: String]
    /// Every tensor of a known element type by its name.
    package let tensors: [String: TensorDescription]
    /// The tensors' names in the order of their data in the file.
    package let names: [String]

    private let file: ReadableFile
    /// The file in memory, once asked for.
    private let mapped = Mutex<MappedFile?>(nil)
    /// Tensors of unknown element types.
    private let unknownTypes: [String: String]

    /// Opens a file and checks its header.
    ///
    /// - Throws: `.missing`, `.unreadable`, or `.malformed` with the rule that the file breaks.
    package init(path: String) throws(SafetensorsError) {
        self.path = path
        file = try ReadableFile(path: path)
        let header: SafetensorsHeader
        do {
            header = try Self.header(of: file)
        } catch let error as SafetensorsMalformation {
            throw .malformed(path: path, error)
        } catch let error as SafetensorsError {
            throw error
        } catch {
            preconditionFailure("\(error)")
        }
        metadata = header.metadata
        unknownTypes = header.unknownTypes
        names = header.tensors.map(\.name)
        tensors = Dictionary(uniqueKeysWithValues: header.tensors.map { ($0.name, $0) })
    }

    private static func header(of file: ReadableFile) throws -> SafetensorsHeader {
        let first = try file.bytes(0..<min(SafetensorsHeader.prefixLength, file.byteCount))
        let length = try SafetensorsHeader.length(prefix: first, fileSize: file.byteCount)
        let json = try file.bytes(SafetensorsHeader.prefixLength..<SafetensorsHeader.prefixLength + length)
        return try json.withUnsafeBytes { try SafetensorsHeader(json: $0, fileSize: file.byteCount) }
    }

    /// The size of the file in bytes.
    package var byteCount: Int { file.byteCount }

    /// The description of a tensor.
    ///
    /// - Throws: `.noSuchTensor`, `.malformed` for one whose element type is not known here.
    package func tensor(_ name: String) throws(SafetensorsError) -> TensorDescription {
        if let tensor = tensors[name] { return tensor }
        if let type = unknownTypes[name] { throw .malformed(path: path, .unknownDType(type, tensor: name)) }
        throw .noSuchTensor(name: name, path: path)
    }

    /// Whether the file has a tensor of this name, also if its element type is not known here.
    func holds(_ name: String) -> Bool { tensors[name] != nil || unknownTypes[name] != nil }

    /// Calls `body` with the stored bytes of a tensor, which are valid only during the call and need not be aligned. The
    /// whole tensor is in memory meanwhile: `forEachPiece(of:_:)` is for large ones.
    ///
    /// - Throws: `.noSuchTensor`, `.shortened`, `.unreadable`, and what `body` throws.
    package func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        try file.bytes(try tensor(name).byteRange).withUnsafeBytes(body)
    }

    /// Calls `body` with the stored bytes of a tensor, piece after piece, each valid only during its call.
    ///
    /// - Throws: `.noSuchTensor`, `.shortened`, `.unreadable`.
    package func forEachPiece(of name: String, _ body: (UnsafeRawBufferPointer) -> Void) throws(SafetensorsError) {
        try file.forEachPiece(of: try tensor(name).byteRange) { piece, _ in body(piece) }
    }

    /// The file in memory, where the bytes of a tensor are at its `byteRange`, not aligned.
    ///
    /// - Throws: `.unreadable` if the system cannot map it.
    package func map() throws(SafetensorsError) -> MappedFile {
        var failure: SafetensorsError?
        let whole = mapped.withLock { mapped -> MappedFile? in
            if let mapped { return mapped }
            do throws(SafetensorsError) { mapped = try MappedFile(file) } catch { failure = error }
            return mapped
        }
        guard let whole else { throw failure ?? .unreadable(path: path, reason: "it cannot be mapped into memory") }
        return whole
    }

    /// Checks that what was read of the file in memory was there.
    ///
    /// - Throws: `.shortened`, `.unreadable`.
    func checkMapping() throws(SafetensorsError) { try mapped.withLock { $0 }?.check() }

    /// Prefetches elements of a tensor, counted row-major over the whole tensor. Only a hint:
    /// errors are left to reading.
    ///
    /// - Throws: `.noSuchTensor`.
    package func prefetch(_ name: String, elements: Range<Int>) throws(SafetensorsError) {
        let tensor = try tensor(name)
        let known = elements.clamped(to: 0..<tensor.elementCount)
        file.prefetch(bytes(of: tensor, elements: known))
    }

    /// All elements of a floating-point tensor, row-major, as `Float`.
    ///
    /// - Throws: `.noSuchTensor`, `.wrongDType`, `.shortened`, `.unreadable`.
    package func floats(_ name: String) throws(SafetensorsError) -> [Float] {
        let tensor = try floatingPointTensor(name)
        var failure: SafetensorsError?
        let floats = [Float](unsafeUninitializedCapacity: tensor.elementCount) { buffer, count in
            guard let target = buffer.baseAddress else { return }
            do throws(SafetensorsError) {
                try copyFloats(of: tensor, elements: 0..<tensor.elementCount, into: target)
                count = tensor.elementCount
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return floats
    }

    /// Some elements of a floating-point tensor as `Float`, counted row-major over the whole tensor.
    ///
    /// - Parameter target: room for `elements.count` elements.
    /// - Throws: `.noSuchTensor`, `.wrongDType`, `.elementsOutOfRange`, `.shortened`, `.unreadable`.
    package func readFloats(
        _ name: String, elements: Range<Int>, into target: UnsafeMutablePointer<Float>
    ) throws(SafetensorsError) {
        let tensor = try floatingPointTensor(name)
        try check(elements, of: tensor)
        try copyFloats(of: tensor, elements: elements, into: target)
    }

    /// All elements of an integer tensor, row-major.
    ///
    /// - Throws: `.noSuchTensor`, `.wrongDType`, `.shortened`, `.unreadable`.
    package func integers(_ name: String) throws(SafetensorsError) -> [Int64] {
        try integers(name, elements: 0..<tensor(name).elementCount)
    }

    /// Some elements of an integer tensor, counted row-major over the whole tensor.
    ///
    /// - Throws: `.noSuchTensor`, `.wrongDType`, `.elementsOutOfRange`, `.shortened`, `.unreadable`.
    package func integers(_ name: String, elements: Range<Int>) throws(SafetensorsError) -> [Int64] {
        let tensor = try tensor(name)
        guard tensor.dtype.isConvertibleToInteger else {
            throw .wrongDType(name: name, path: path, expected: "integers of at most 63 bits", found: tensor.dtype)
        }
        try check(elements, of: tensor)
        var values: [Int64] = []
        values.reserveCapacity(elements.count)
        func widen<Stored: FixedWidthInteger & BitwiseCopyable>(_ type: Stored.Type) throws(SafetensorsError) {
            let size = MemoryLayout<Stored>.size
            try file.forEachPiece(of: bytes(of: tensor, elements: elements)) { piece, _ in
                for offset in stride(from: 0, to: piece.count, by: size) {
                    values.append(Int64(piece.loadUnaligned(fromByteOffset: offset, as: type)))
                }
            }
        }
        switch tensor.dtype {
        case .i64: try widen(Int64.self)
        case .i32: try widen(Int32.self)
        case .i16: try widen(Int16.self)
        case .i8: try widen(Int8.self)
        case .u32: try widen(UInt32.self)
        case .u16: try widen(UInt16.self)
        default: try widen(UInt8.self)
        }
        return values
    }

    private func floatingPointTensor(_ name: String) throws(SafetensorsError) -> TensorDescription {
        let tensor = try tensor(name)
        guard tensor.dtype.isConvertibleToFloat else {
            throw .wrongDType(name: name, path: path, expected: "F64, F32, F16 or BF16", found: tensor.dtype)
        }
        return tensor
    }

    private func check(_ elements: Range<Int>, of tensor: TensorDescription) throws(SafetensorsError) {
        guard elements.lowerBound >= 0, elements.upperBound <= tensor.elementCount else {
            throw .elementsOutOfRange(
                name: tensor.name, path: path, requested: elements, elementCount: tensor.elementCount
            )
        }
    }

    private func bytes(of tensor: TensorDescription, elements: Range<Int>) -> Range<Int> {
        let size = tensor.dtype.byteCount
        let start = tensor.byteRange.lowerBound + elements.lowerBound * size
        return start..<start + elements.count * size
    }

    private func copyFloats(
        of tensor: TensorDescription, elements: Range<Int>, into target: UnsafeMutablePointer<Float>
    ) throws(SafetensorsError) {
        let range = bytes(of: tensor, elements: elements)
        if tensor.dtype == .f32 {
            // No conversion: read directly into the result.
            return try file.read(
                at: range.lowerBound, into: UnsafeMutableRawBufferPointer(start: target, count: range.count))
        }

        let size = tensor.dtype.byteCount
        try file.forEachPiece(of: range) { piece, offset in
            FloatConversion.widen(piece, dtype: tensor.dtype, into: target + offset / size)
        }
    }
}
