import Safetensors
import SparseCoding

/// Takes tensors of a weight file for ours, one after another, and checks name, type and shape of each.
struct TensorMapping {
    /// The file.
    let file: any WeightFile
    /// A prefix of all its names.
    let prefix: String
    private var tensors: [ForeignTensor] = []
    private var used: Set<String> = []

    /// The order of `DictionaryWeights.tensors`.
    private static let order = DictionaryWeights.tensorNames

    /// Starts with a file of which nothing is taken yet.
    init(_ file: any WeightFile, prefix: String = "") {
        (self.file, self.prefix) = (file, prefix)
    }

    /// Whether the file has a tensor of this name.
    func has(_ name: String) -> Bool { file.entry(prefix + name) != nil }

    /// The two extents of a matrix.
    ///
    /// - Throws: `WeightFileError` if the file lacks it, `.malformed` for other dimensions.
    func extents(_ name: String) throws -> (rows: Int, columns: Int) {
        let entry = try file.required(prefix + name)
        guard entry.shape.count == 2, entry.shape.allSatisfy({ (1...16_777_216).contains($0) }) else {
            throw wrongShape(entry, expected: "two dimensions of 1 … 16777216")
        }
        return (entry.shape[0], entry.shape[1])
    }

    /// Takes a vector, or a matrix that lies as ours does.
    ///
    /// - Throws: `WeightFileError` if the file lacks it, `.malformed` for another shape or type.
    mutating func take(_ ours: String, from theirs: String, _ shape: [Int]) throws {
        let dtype = try check(theirs, shape)
        add(ours, dtype, shape, .stored(file, name: prefix + theirs))
    }

    /// Takes a matrix `[rows × columns]` that lies transposed in the file.
    ///
    /// - Throws: likewise.
    mutating func takeTransposed(_ ours: String, from theirs: String, rows: Int, columns: Int) throws {
        let dtype = try check(theirs, [columns, rows])
        add(ours, dtype, [rows, columns], .transposed(file, name: prefix + theirs))
    }

    /// Takes matrices `[rows × width]` side by side.
    ///
    /// - Parameter transposed: whether each lies transposed in the file.
    /// - Throws: likewise, and for types that differ.
    mutating func takeSideBySide(
        _ ours: String, from theirs: [String], rows: Int, width: Int, transposed: Bool
    ) throws {
        var dtypes: [TensorDType] = []
        for name in theirs { dtypes.append(try check(name, transposed ? [width, rows] : [rows, width])) }
        if let other = dtypes.firstIndex(where: { $0 != dtypes[0] }) {
            throw ForeignDictionaryError(
                .malformed, file.path,
                "tensor \(theirs[other].quoted) is \(dtypes[other].rawValue); expected \(dtypes[0].rawValue) as "
                    + theirs[0].quoted)
        }
        let source = ForeignTensor.Source.sideBySide(file, names: theirs.map { prefix + $0 }, transposed: transposed)
        add(ours, dtypes[0], [rows, theirs.count * width], source)
    }

    /// Adds a vector of one value that a configuration says.
    mutating func add(_ ours: String, value: Float) {
        add(ours, .f32, [1], .value(value))
    }

    /// Takes the one threshold of all latents, which the file has as a scalar.
    ///
    /// - Throws: likewise.
    mutating func takeSharedThreshold(from theirs: String) throws {
        let entry = try file.required(prefix + theirs)
        guard entry.elementCount == 1, entry.shape.count <= 1 else {
            throw wrongShape(entry, expected: "one value")
        }
        add("threshold", try checkType(entry), [1], .stored(file, name: prefix + theirs))
        used.insert(prefix + theirs)
    }

    /// A whole number that the file has as a tensor of one value; nil if it lacks it.
    ///
    /// - Throws: `WeightFileError` for a tensor of several values, `.malformed` for a fraction.
    mutating func whole(_ theirs: String) throws -> Int? {
        guard has(theirs) else { return nil }
        used.insert(prefix + theirs)
        let value = try file.scalar(prefix + theirs)
        guard let number = Int(exactly: value) else {
            throw ForeignDictionaryError(
                .malformed, file.path, "tensor \(theirs.quoted): expected a whole number, found \(value)")
        }
        return number
    }

    /// Passes over a `scaling_factor` of ones, which some programs save beside the weights.
    ///
    /// - Throws: `.refused` for one that scales, `WeightFileError` for one that cannot be read.
    mutating func passOverScalingFactor() throws {
        let name = "scaling_factor"
        guard let entry = file.entry(prefix + name) else { return }
        used.insert(prefix + name)
        guard entry.elementCount <= 16_777_216 else { throw wrongShape(entry, expected: "one value for each latent") }
        guard try file.floats(prefix + name).allSatisfy({ abs($0 - 1) <= 1e-5 }) else {
            throw ForeignDictionaryError(
                .refused, file.path,
                "tensor \(name.quoted) is not all ones: activations that were scaled in finetuning cannot be represented"
            )
        }
    }

    /// Notes that a tensor is known and has no part in the computation.
    mutating func pass(over theirs: String) { used.insert(prefix + theirs) }

    /// The tensors in our order, if the file has no others.
    ///
    /// - Parameter kind: what the file holds, for the message.
    /// - Throws: `.malformed` that names a tensor too many.
    func finish(_ kind: String) throws(ForeignDictionaryError) -> [ForeignTensor] {
        let left = file.names.filter { $0.hasPrefix(prefix) && !used.contains($0) }
        guard left.isEmpty else {
            throw ForeignDictionaryError(
                .malformed, file.path,
                "has tensors that \(kind) does not have: \(WeightFileError.brief(left)); expected "
                    + WeightFileError.brief(used.sorted()))
        }
        return finished
    }

    /// The tensors in our order.
    var finished: [ForeignTensor] {
        tensors.sorted { (Self.order.firstIndex(of: $0.name) ?? 0) < (Self.order.firstIndex(of: $1.name) ?? 0) }
    }

    private mutating func add(_ name: String, _ dtype: TensorDType, _ shape: [Int], _ source: ForeignTensor.Source) {
        tensors.append(ForeignTensor(name: name, dtype: dtype, shape: shape, source: source))
    }

    private mutating func check(_ name: String, _ shape: [Int]) throws -> TensorDType {
        let entry = try file.required(prefix + name)
        let dtype = try checkType(entry)
        guard entry.shape == shape else { throw wrongShape(entry, expected: "\(shape)") }
        used.insert(prefix + name)
        return dtype
    }

    private func checkType(_ entry: WeightEntry) throws(ForeignDictionaryError) -> TensorDType {
        switch entry.dtype {
        case .f32, .f16, .bf16: return entry.dtype
        default:
            throw ForeignDictionaryError(
                .refused, file.path,
                "tensor \(entry.name.quoted) is stored as \(entry.dtype.rawValue); expected F32, F16 or BF16; save it "
                    + "as float32")
        }
    }

    private func wrongShape(_ entry: WeightEntry, expected: String) -> ForeignDictionaryError {
        ForeignDictionaryError(
            .malformed, file.path, "tensor \(entry.name.quoted) has shape \(entry.shape); expected \(expected)")
    }
}
