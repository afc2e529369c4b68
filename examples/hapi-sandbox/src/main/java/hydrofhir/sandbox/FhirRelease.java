package hydrofhir.sandbox;

import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.r5.JpaR5Config;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import org.springframework.context.annotation.ImportSelector;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotationMetadata;

/** Chooses HAPI's own configuration by the property {@code sandbox.fhir}: R4 or R5, nothing else. */
public class FhirRelease implements ImportSelector {

    private final Environment environment;

    public FhirRelease(Environment environment) {
        this.environment = environment;
    }

    @Override
    public String[] selectImports(AnnotationMetadata importer) {
        String release = environment.getRequiredProperty("sandbox.fhir");
        Class<?> jpa =
                switch (release) {
                    case "R4" -> JpaR4Config.class;
                    case "R5" -> JpaR5Config.class;
                    default -> throw new IllegalArgumentException("sandbox.fhir must be R4 or R5");
                };
        return new String[] {
            jpa.getName(),
            // $export runs as a batch job; the job engine talks to itself over a subscription channel.
            JpaBatch2Config.class.getName(),
            Batch2JobsConfig.class.getName(),
            SubscriptionChannelConfig.class.getName(),
            ThreadPoolFactoryConfig.class.getName()
        };
    }
}
