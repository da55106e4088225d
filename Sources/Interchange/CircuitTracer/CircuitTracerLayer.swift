import ActivationPipeline
import JSON

/// The features of one layer, in one file or each in its own.
final class CircuitTracerLayer {
    /// The decoder layer.
    let layer: Int
    private let folder: String
    private let name: String
    private let file: NewFile?
    private let stream = GzipStream()
    /// Where each feature starts in the file, and where the last one ends.
    private var offsets = [0]

    /// Makes the file.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    init(_ layer: Int, in folder: String, hasFileForEach: Bool) throws(WorkflowError) {
        self.layer = layer
        self.folder = folder
        name = "layer_\(layer).bin"
        guard !hasFileForEach else {
            file = nil
            return
        }
        try NewFile.makeFolder(folder + "/features")
        file = try NewFile("\(folder)/features/\(name)")
    }

    /// The number that stands for a layer's feature.
    static func number(layer: Int, feature: Int) -> Int { (layer + feature) * (layer + feature + 1) / 2 + feature }

    /// Adds the JSON of a feature; they come in order.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    func append(_ bytes: [UInt8], of feature: Int) throws(WorkflowError) {
        guard let file else {
            try NewFile.write(bytes, to: "\(folder)/\(Self.number(layer: layer, feature: feature)).json")
            return
        }
        let member = stream.member(bytes)
        let length = withUnsafeBytes(of: UInt32(truncatingIfNeeded: member.count).littleEndian) { Array($0) }
        try file.write(length + member)
        offsets.append(offsets[offsets.count - 1] + length.count + member.count)
    }

    /// Ends the file.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    func finish() throws(WorkflowError) { try file?.close() }

    /// Its entry in the index.
    var indexEntry: JSONValue {
        .object(["filename": .string(name), "offsets": .array(offsets.map { .integer($0) })])
    }
}
