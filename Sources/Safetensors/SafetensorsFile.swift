/// A safetensors file, mapped into memory and read on demand.
///
/// The header is checked in full when the file is opened, so that no later read can leave the file's bounds. Values can
/// be read from several threads at once. The file must not be truncated while it is open.
public final class SafetensorsFile: Sendable {
    /// Where the file was opened.
    public let path: String
    /// The header's free-form text entries.
    public let metadata: [String: String]
    /// Every tensor by its name.
    public let tensors: [String: TensorDescription]
    /// The tensors' names in the order of their data in the file.
    public let names: [String]

    private let file: MappedFile

    /// Opens a file and checks its header.
    ///
    /// - Throws: `.missing`, `.unreadable`, or `.malformed` with the rule that the file breaks.
    public init(path: String) throws(SafetensorsError) {
        self.path = path
        file = try MappedFile(path: path)
        let header: SafetensorsHeader
        do {
            header = try SafetensorsHeader(file: file.bytes)
        } catch {
            throw .malformed(path: path, error)
        }
        metadata = header.metadata
        names = header.tensors.map(\.name)
        tensors = Dictionary(uniqueKeysWithValues: header.tensors.map { ($0.name, $0) })
    }

    /// The size of the file in bytes.
    public var byteCount: Int { file.bytes.count }

    /// The description of a tensor.
    ///
    /// - Throws: `.noSuchTensor`.
    public func tensor(_ name: String) throws(SafetensorsError) -> TensorDescription {
        guard let tensor = tensors[name] else { throw .noSuchTensor(name: name, path: path) }
        return tensor
    }

    /// Calls `body` with the stored bytes of a tensor, which are valid only during the call and need not be aligned.
    ///
    /// - Throws: `.noSuchTensor`, and what `body` throws.
    public func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        let range = try tensor(name).byteRange
        return try withExtendedLifetime(file) { try body(UnsafeRawBufferPointer(rebasing: file.bytes[range])) }
    }

    /// All elements of a floating-point tensor, row-major, as `Float`.
    ///
    /// - Throws: `.noSuchTensor`, `.wrongDType`.
    public func floats(_ name: String) throws(SafetensorsError) -> [Float] {
        let tensor = try floatingPointTensor(name)
        return [Float](unsafeUninitializedCapacity: tensor.elementCount) { buffer, count in
            count = tensor.elementCount
            guard let target = buffer.baseAddress, count > 0 else { return }
            copyFloats(of: tensor, elements: 0..<count, into: target)
        }
    }

    /// Some elements of a floating-point tensor as `Float`, counted row-major over the whole tensor.
    ///
    /// - Parameter target: room for `elements.count` elements.
    /// - Throws: `.noSuchTensor`, `.wrongDType`, `.elementsOutOfRange`.
    public func readFloats(
        _ name: String, elements: Range<Int>, into target: UnsafeMutablePointer<Float>
    ) throws(SafetensorsError) {
        let tensor = try floatingPointTensor(name)
        try check(elements, of: tensor)
        copyFloats(of: tensor, elements: elements, into: target)
    }

    /// All elements of an integer tensor, row-major.
    ///
    /// - Throws: `.noSuchTensor`, `.wrongDType`.
    public func integers(_ name: String) throws(SafetensorsError) -> [Int64] {
        try integers(name, elements: 0..<tensor(name).elementCount)
    }

    /// Some elements of an integer tensor, counted row-major over the whole tensor.
    ///
    /// - Throws: `.noSuchTensor`, `.wrongDType`, `.elementsOutOfRange`.
    public func integers(_ name: String, elements: Range<Int>) throws(SafetensorsError) -> [Int64] {
        let tensor = try tensor(name)
        guard tensor.dtype.isConvertibleToInteger else {
            throw .wrongDType(name: name, path: path, expected: "integers of at most 63 bits", found: tensor.dtype)
        }
        try check(elements, of: tensor)
        let bytes = bytes(of: tensor, elements: elements)
        func widened<Stored: FixedWidthInteger & BitwiseCopyable>(_ type: Stored.Type) -> [Int64] {
            (0..<elements.count).map { index in
                Int64(bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Stored>.size, as: type))
            }
        }
        return withExtendedLifetime(file) {
            switch tensor.dtype {
            case .i64: widened(Int64.self)
            case .i32: widened(Int32.self)
            case .i16: widened(Int16.self)
            case .i8: widened(Int8.self)
            case .u32: widened(UInt32.self)
            case .u16: widened(UInt16.self)
            default: widened(UInt8.self)
            }
        }
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

    private func bytes(of tensor: TensorDescription, elements: Range<Int>) -> UnsafeRawBufferPointer {
        let size = tensor.dtype.byteCount
        let start = tensor.byteRange.lowerBound + elements.lowerBound * size
        return UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + elements.count * size])
    }

    private func copyFloats(
        of tensor: TensorDescription, elements: Range<Int>, into target: UnsafeMutablePointer<Float>
    ) {
        withExtendedLifetime(file) {
            FloatConversion.widen(bytes(of: tensor, elements: elements), dtype: tensor.dtype, into: target)
        }
    }
}
