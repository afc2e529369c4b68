package hydrofhir.sandbox;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.parser.StrictErrorHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Our own definitions from a folder and the folders below it: files named {@code StructureDefinition-*.json},
 * {@code ValueSet-*.json} and {@code CodeSystem-*.json}.
 *
 * <p>They are written in R4 form. For R5 the same files are read; one that R5 cannot parse is left out, and the log
 * says so.
 */
final class Definitions {

    private static final Logger LOG = LoggerFactory.getLogger(Definitions.class);

    private Definitions() {}

    /** @param folder may be null: no definitions of our own. */
    static PrePopulatedValidationSupport load(FhirContext fhir, Path folder) throws IOException {
        PrePopulatedValidationSupport support = new PrePopulatedValidationSupport(fhir);
        if (folder == null) {
            return support;
        }
        IParser parser = fhir.newJsonParser().setParserErrorHandler(new StrictErrorHandler());
        for (Path file : files(folder)) {
            try {
                IBaseResource definition = parser.parseResource(Files.readString(file));
                switch (fhir.getResourceType(definition)) {
                    case "StructureDefinition" -> support.addStructureDefinition(definition);
                    case "ValueSet" -> support.addValueSet(definition);
                    case "CodeSystem" -> support.addCodeSystem(definition);
                    default -> LOG.warn("{} is not the definition its name says", file);
                }
            } catch (RuntimeException unreadable) {
                LOG.warn("{} left out, not readable as {}: {}",
                        file, fhir.getVersion().getVersion(), unreadable.getMessage());
            }
        }
        LOG.info("{} definitions from {}", support.countAll(), folder);
        return support;
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> found = Files.walk(folder)) {
            return found.filter(Files::isRegularFile)
                    .filter(file -> file.getFileName().toString()
                            .matches("(StructureDefinition|ValueSet|CodeSystem)-.*\\.json"))
                    .sorted()
                    .toList();
        }
    }
}
