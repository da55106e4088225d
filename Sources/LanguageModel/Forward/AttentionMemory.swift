import LinearAlgebra

/// The keys and values of one layer as the products of attention read them: packed in panels, f32 or, where products are of
/// bf16, rounded to that. Every head has its own.
///
/// A token has a slot. The slots of a sequence begin at a multiple of `alignment` and follow each other.
struct AttentionMemory {
    /// What first slots of sequences are multiples of: a panel's rows, which are also the lanes of every sum.
    static let alignment = PackedMatrix.narrowPanelRows

    /// Slots that there are.
    let slots: Int
    /// For each key head its keys, `[slots × headDimension]`.
    let keys: [PackedMatrix]
    /// For each key head its values, transposed: `[headDimension × slots]`.
    let values: [PackedMatrix]

    /// Makes room.
    ///
    /// - Parameter slots: at least this many.
    init(model: LanguageModelConfiguration, slots: Int, precision: Precision) {
        let slots = Self.aligned(max(slots, 1))
        self.slots = slots
        let isHalved = precision == .bf16
        keys = (0..<model.keyValueHeads).map { _ in
            PackedMatrix(rows: slots, columns: model.headDimension, halved: isHalved)
        }
        values = (0..<model.keyValueHeads).map { _ in
            PackedMatrix(rows: model.headDimension, columns: slots, halved: isHalved)
        }
        // An odd number of values is read with the slot behind it, times zero.
        for matrix in keys + values { matrix.clear() }
    }

    /// The next multiple of `alignment`.
    static func aligned(_ slots: Int) -> Int { (slots + alignment - 1) / alignment * alignment }

    /// Sets the keys and values of tokens that follow each other.
    ///
    /// - Parameters:
    ///   - heads: the key heads whose keys and values are set.
    ///   - first: the slot of the first token.
    ///   - rows: for each token the keys of all heads, then the values; `stride` floats from one token to the next.
    func store(_ count: Int, of heads: Range<Int>, from first: Int, _ rows: UnsafePointer<Float>, stride: Int) {
        for head in heads {
            let (keys, values) = (self.keys[head], self.values[head])
            let d = keys.columns
            let (key, value) = (rows + head * d, rows + (self.keys.count + head) * d)
            // Whole panels at once.
            let whole = first % Self.alignment == 0 ? count / Self.alignment * Self.alignment : 0
            if whole > 0 { keys.pack(first..<first + whole, from: key, stride: stride) }
            for token in whole..<count { keys.setRow(first + token, to: key + token * stride) }
            for token in 0..<count { values.setColumn(first + token, to: value + token * stride) }
        }
    }

    /// Copies the first slots of a smaller memory.
    func update(from other: AttentionMemory) {
        for (mine, its) in zip(keys, other.keys) { mine.copyRows(other.slots, of: its) }
        for (mine, its) in zip(values, other.values) { mine.copyColumns(other.slots, of: its) }
    }
}
