import Safetensors

/// The header of a .npy file: a mark, a version, and a dict of Python's in ASCII or UTF-8, which is parsed and never
/// run.
///
///     {'descr': '<f4', 'fortran_order': False, 'shape': (128, 192), }
struct NPYHeader {
    /// The bytes before the dict: six of the mark, two of the version, two or four of the dict's length.
    static let longestPrefix = 12
    /// The longest dict. NumPy reads 10,000 bytes.
    static let longestText = 1 << 16

    private static let mark: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

    /// The element type as NumPy calls it, such as `<f4`.
    let type: String
    /// Whether the first index varies fastest.
    let isFortran: Bool
    /// The extents.
    let shape: [Int]

    /// The types that are read, by NumPy's names. A type of one byte has no order.
    static let types: [String: TensorDType] = [
        "<f8": .f64, "<f4": .f32, "<f2": .f16, "<i8": .i64, "<i4": .i32, "<i2": .i16, "|i1": .i8, "<u8": .u64,
        "<u4": .u32, "<u2": .u16, "|u1": .u8, "|b1": .bool,
    ]

    /// Where the dict lies in a file that begins with `prefix`.
    ///
    /// - Throws: as text, what is wrong with the prefix.
    static func textRange(prefix: [UInt8]) throws(NPYFault) -> Range<Int> {
        guard prefix.count >= 10, prefix.starts(with: mark) else { throw NPYFault("is no .npy: it lacks the mark") }
        switch (prefix[6], prefix[7]) {
        case (1, 0):
            let length = Int(prefix.field(UInt16.self, at: 8))
            return 10..<10 + length
        case (2, 0), (3, 0):
            guard prefix.count >= longestPrefix else { throw NPYFault("is no .npy: it is cut short") }
            let length = Int(prefix.field(UInt32.self, at: 8))
            guard length <= longestText else {
                throw NPYFault("has a header of \(length) bytes, at most \(longestText) are read")
            }
            return longestPrefix..<longestPrefix + length
        default:
            throw NPYFault("is of version \(prefix[6]).\(prefix[7]) of .npy, expected 1.0, 2.0 or 3.0")
        }
    }

    /// Parses the dict.
    ///
    /// - Throws: as text, what is wrong with it.
    init(text: [UInt8]) throws(NPYFault) {
        var parser = PythonLiteralParser(text)
        var type: String?
        var isFortran: Bool?
        var shape: [Int]?
        try parser.expect("{")
        while !parser.accept("}") {
            let key = try parser.string()
            try parser.expect(":")
            switch key {
            case "descr" where type == nil:
                guard !parser.startsList else {
                    throw NPYFault(
                        "is a structured array, expected plain numbers; save each field as its own array",
                        isOfType: true)
                }
                type = try parser.string()
            case "fortran_order" where isFortran == nil: isFortran = try parser.boolean()
            case "shape" where shape == nil: shape = try parser.naturalNumbers()
            default: throw NPYFault("has a header with the key \(WeightFileError.quoted(key)) unknown or twice")
            }
            if !parser.accept(",") {
                try parser.expect("}")
                break
            }
        }
        try parser.expectEnd()
        guard let type, let isFortran, let shape else {
            throw NPYFault("has a header without descr, fortran_order or shape")
        }
        self.type = type
        self.isFortran = isFortran
        self.shape = shape
    }

    /// Of each dimension, the elements between neighbours.
    var strides: [Int] {
        isFortran ? StoredTensor.rowMajor(shape.reversed()).reversed() : StoredTensor.rowMajor(shape)
    }

    /// The element type.
    ///
    /// - Throws: as text, why one that is not read is not.
    func dtype() throws(NPYFault) -> TensorDType {
        if let known = Self.types[type] { return known }
        let shown = WeightFileError.quoted(type)
        let problem: String
        switch type.first {
        case ">":
            problem =
                "is big-endian (\(shown)), expected little-endian; save array.astype(array.dtype.newbyteorder('<'))"
        case _ where type.contains("O"):
            problem = "holds Python objects (\(shown)), which are never unpickled; save numbers"
        case _ where type.contains("V"):
            problem = "holds raw bytes (\(shown)), as bfloat16 is saved; save array.astype(numpy.float32)"
        default: problem = "has the type \(WeightFileError.quoted(type)), which is not read; save float32"
        }
        throw NPYFault(problem, isOfType: true)
    }
}

/// What is wrong with a .npy file.
struct NPYFault: Error {
    let text: String
    /// Whether the file is fine but its element type is not read.
    let isOfType: Bool

    init(_ text: String, isOfType: Bool = false) {
        self.text = text
        self.isOfType = isOfType
    }
}
