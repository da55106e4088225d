/// A word of a command that is shown to be copied into a shell.
enum ShellWord {
    /// The word, quoted where the shell would read it otherwise.
    ///
    /// - Parameter isFile: whether it names a file, which gets a folder where it would be read as an option.
    static func quoted(_ word: String, isFile: Bool = true) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "/"):
                    true
                default: false
                }
            }
        let quoted = isPlain ? word : "'" + word.replacing("'", with: #"'\''"#) + "'"
        // A word that begins with a hyphen would be an option.
        return isFile && word.hasPrefix("-") ? "./" + quoted : quoted
    }
}
