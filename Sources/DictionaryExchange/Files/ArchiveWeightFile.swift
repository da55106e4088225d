/// A weight file that is a zip archive of tensors.
package protocol ArchiveWeightFile: WeightFile {
    /// The tensors that can be read, by name.
    var tensors: [String: ArchivedTensor] { get }
}

extension ArchiveWeightFile {
    /// The description of a tensor, nil if the file has none of this name that can be read.
    package func entry(_ name: String) -> WeightEntry? { tensors[name]?.stored.entry }

    /// Some elements of a tensor as `Float`, as `WeightFile` says.
    ///
    /// - Throws: as `WeightFile` says.
    package func readFloats(
        _ name: String, elements: Range<Int>, into target: UnsafeMutablePointer<Float>
    ) throws(WeightFileError) {
        guard let tensor = tensors[name] else { throw missing(name) }
        try checkReadable(tensor.stored.entry)
        try check(elements, of: tensor.stored.entry)
        try tensor.readFloats(elements, into: target)
    }

    /// The value of a tensor of one element, as `WeightFile` says.
    ///
    /// - Throws: as `WeightFile` says.
    package func scalar(_ name: String) throws(WeightFileError) -> Double {
        guard let tensor = tensors[name] else { throw missing(name) }
        try checkScalar(tensor.stored.entry)
        return try tensor.scalar()
    }
}
