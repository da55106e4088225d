import ActivationPipeline
import DictionaryExchange
package import FeatureCatalog
import Foundation
import JSON
import LinearAlgebra
import Safetensors
package import SparseCoding

/// Writes a dictionary of a catalog into a folder, in the form of another program.
package struct ExportRun {
    /// The dictionary, by name or number; nil takes the one added last.
    package let dictionary: String?
    /// The folder to make.
    package let folder: String
    /// The program.
    package let format: ExportFormat

    /// Describes an export.
    package init(dictionary: String?, folder: String, format: ExportFormat) {
        self.dictionary = dictionary
        self.folder = folder
        self.format = format
    }

    /// What was written.
    package struct Result: Sendable {
        /// The dictionary's name.
        package let name: String
        /// What it computes.
        package let configuration: DictionaryConfiguration
        /// Lines for a person: what differs in the other program.
        package let remarks: [String]
    }

    /// Writes the folder.
    ///
    /// - Parameters:
    ///   - cancelled: asked before every tensor is read.
    ///   - progress: told of each tensor that is read, with its number of values; of some twice.
    /// - Throws: `ExportRefusal` for what the format cannot say, `WorkflowError.cannotWrite`, `CatalogError`,
    ///   `SafetensorsError`. Nothing is left behind then.
    package func run(
        from catalog: Catalog, cancelled: @escaping @Sendable () -> Bool = { false },
        progress: @escaping @Sendable (_ values: Int) -> Void = { _ in }
    ) throws -> Result {
        let record = try StoredDictionary.record(named: dictionary, in: catalog)
        let configuration = try StoredDictionary.configuration(of: record)
        let exported = try contents(of: record, configuration, in: catalog, cancelled: cancelled, progress: progress)
        let remarks = try OutputFolder.make(folder) { draft in
            switch format {
            case .saelens: try SAELensWriter.write(exported, into: draft)
            case .sparsify: try SparsifyWriter.write(exported, into: draft)
            }
        }
        return Result(name: record.name, configuration: configuration, remarks: remarks)
    }

    private func contents(
        of record: DictionaryRecord, _ configuration: DictionaryConfiguration, in catalog: Catalog,
        cancelled: @escaping @Sendable () -> Bool, progress: @escaping @Sendable (_ values: Int) -> Void
    ) throws -> DictionaryToExport {
        let stored = try catalog.tensors(dictionaryID: record.dictionaryID)
        // As DictionaryWeights has them: all that there have to be, each of its shape.
        let tensors = try DictionaryWeights.shapes(configuration).map { name, shape in
            guard let tensor = stored.first(where: { $0.name == name }) else {
                throw CatalogError(
                    .damaged, "\(catalog.path): dictionary \"\(record.name)\" has no tensor \"\(name)\"")
            }
            guard tensor.shape == shape else {
                throw SparseCodingError.shape(
                    tensor: name, path: catalog.path, found: tensor.shape, expected: shape)
            }
            return (name: name, dtype: tensor.dataType.inFiles, shape: shape)
        }
        try MemoryBudget.machine.check(
            floats: Double(tensors.map { $0.shape.reduce(1, *) }.max() ?? 0),
            for: "a weight of \"\(record.name)\"", advice: "use a machine with more")
        let dictionaryID = record.dictionaryID
        let provenance = Provenance(of: record)
        return DictionaryToExport(
            configuration: configuration, name: record.name, tensors: tensors,
            read: { name in
                if cancelled() { throw WorkflowError.interrupted("nothing was exported") }
                let shape = tensors.first { $0.name == name }?.shape ?? [0]
                let (rows, width) = (shape[0], shape.count > 1 ? shape[1] : 1)
                let matrix = Matrix(
                    scratchRows: shape.count > 1 ? rows : 1, columns: shape.count > 1 ? width : rows)
                try catalog.read(name, of: dictionaryID, rows: 0..<rows, width: width, into: matrix.pointer)
                progress(rows * width)
                return matrix
            },
            modelName: try modelName(of: record, provenance, in: catalog), contextTokens: provenance.contextTokens,
            prependsBOS: provenance.prependsBOS, source: try catalog.identity().uuid,
            firingRates: try firingRates(of: record, in: catalog), softwareVersion: Software.version)
    }

    /// The language model's name: of the one in the catalog, or as the imported files called it.
    private func modelName(
        of record: DictionaryRecord, _ provenance: Provenance, in catalog: Catalog
    ) throws -> String? {
        try catalog.languageModels().first { $0.languageModelID == record.languageModelID }?.name
            ?? provenance.modelName
    }

    /// How often each latent fires, by the dictionary's last index.
    private func firingRates(of record: DictionaryRecord, in catalog: Catalog) throws -> [Double]? {
        guard let index = try catalog.indexings(dictionaryID: record.dictionaryID).last else { return nil }
        let fired = try catalog.firedCounts(index.key)
        return (0..<record.latentCount).map { Double(fired[$0] ?? 0) / Double(max(index.tokenCount, 1)) }
    }
}

/// What an imported dictionary's files said of its training.
private struct Provenance {
    var modelName: String?
    var contextTokens: Int?
    var prependsBOS: Bool?

    init(of record: DictionaryRecord) {
        guard case .object(let config)? = try? JSONParser.parse(Data(record.configJSON.utf8)),
            case .object(let source)? = config["source"]
        else { return }
        if case .string(let name)? = source["model"] { modelName = name }
        guard case .object(let details)? = source["details"] else { return }
        if case .integer(let tokens)? = details["context_size"] { contextTokens = tokens }
        if case .boolean(let prepends)? = details["prepend_bos"] { prependsBOS = prepends }
    }
}
