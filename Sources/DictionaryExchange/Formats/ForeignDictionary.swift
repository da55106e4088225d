package import JSON
package import SparseCoding

/// One dictionary of another program: its files were opened, and names, types and shapes of all tensors checked; the
/// weights are still in the file.
package struct ForeignDictionary: Sendable {
    /// The format it is in.
    package let format: ForeignFormat
    /// What it computes, with the rules of input, pre-bias, selection and thresholds.
    package let configuration: DictionaryConfiguration
    /// Its tensors by our names, complete for the configuration, in the order of `DictionaryWeights.tensors`.
    package let tensors: [ForeignTensor]
    /// The files that it was read from.
    package let files: [ForeignFile]
    /// A name taken from the path, different from those of the others found with it.
    package internal(set) var suggestedName: String
    /// The language model, as the files name it; nil if they do not.
    package let modelName: String?
    /// The repository it was published in, as far as the path shows it.
    package let repository: String?
    /// The hook point or module whose output it reads, as the files name it.
    package let hook: String?
    /// What the files say beside that and what does not decide the computation.
    package let details: JSONObject
    /// Lines for a person: what is in the files and was not applied, and what was assumed.
    package internal(set) var remarks: [String]
}

/// A file that a dictionary was read from.
package struct ForeignFile: Sendable, Equatable {
    /// Where it is.
    package let path: String
    /// `weights` or `config`.
    package let role: String
}

extension ForeignDictionary {
    /// Makes a configuration and turns the complaint about a value out of range into one about a file.
    ///
    /// - Throws: `.malformed` that names the file.
    static func configuration(
        at path: String, _ make: () throws(SparseCodingError) -> DictionaryConfiguration
    ) throws(ForeignDictionaryError) -> DictionaryConfiguration {
        do throws(SparseCodingError) { return try make() } catch {
            throw ForeignDictionaryError(.malformed, path, error.description)
        }
    }
}
